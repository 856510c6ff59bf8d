package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// twilioURL and twilioToken are those of the tests of Twilio's own libraries:
// https://github.com/twilio/twilio-python/blob/main/tests/unit/test_request_validator.py
const (
	twilioURL   = "https://mycompany.com/myapp.php?foo=1&bar=2"
	twilioToken = "12345"
)

func twilioOf(t *testing.T, url string) *webhook.Twilio {
	t.Helper()
	v := &webhook.Twilio{URL: url, Keys: webhook.Keys(webhook.NewSecret(twilioToken))}
	verifierValidate(t, v)
	return v
}

// twilioRequest returns a request with the given query, media type and signature.
func twilioRequest(query, contentType, signature string) *http.Request {
	r := httptest.NewRequest("POST", "http://10.0.0.1/internal?"+query, nil)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Twilio-Signature", signature)
	return r
}

const (
	twilioForm      = "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309"
	twilioSignature = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
	twilioJSON      = `{"property": "value", "boolean": true}`
	twilioJSONHash  = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
)

func TestTwilioVectors(t *testing.T) {
	for name, tt := range map[string]struct {
		query, contentType, body, signature string
		want                                bool
	}{
		"a form":                       {"foo=1&bar=2", formType, twilioForm, twilioSignature, true},
		"a form, with a charset":       {"", formType + "; charset=UTF-8", twilioForm, twilioSignature, true},
		"a form in another order":      {"", formType, "To=%2B18005551212&Digits=1234&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE", twilioSignature, true},
		"a form with another value":    {"", formType, strings.Replace(twilioForm, "1234&", "1235&", 1), twilioSignature, false},
		"a form with one more":         {"", formType, twilioForm + "&Z=1", twilioSignature, false},
		"a form with one less":         {"", formType, strings.Replace(twilioForm, "&Digits=1234", "", 1), twilioSignature, false},
		"a form with bad encoding":     {"", formType, twilioForm + "&%", twilioSignature, false},
		"a form with semicolons":       {"", formType, strings.ReplaceAll(twilioForm, "&", ";"), twilioSignature, false},
		"repeated names":               {"", formType, "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234", "IK+Dwps556ElfBT0I3Rgjkr1wJU=", true},
		"a repeated value":             {"", formType, "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234", "IK+Dwps556ElfBT0I3Rgjkr1wJU=", true},
		"JSON":                         {"foo=1&bar=2&bodySHA256=" + twilioJSONHash, "application/json", twilioJSON, "a9nBmqA0ju/hNViExpshrM61xv4=", true},
		"JSON, the hash alone":         {"bodySHA256=" + twilioJSONHash, "application/json", twilioJSON, "a9nBmqA0ju/hNViExpshrM61xv4=", true},
		"another JSON":                 {"bodySHA256=" + twilioJSONHash, "application/json", twilioJSON + " ", "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		"JSON without hash":            {"foo=1&bar=2", "application/json", twilioJSON, "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		"JSON with two hashes":         {"bodySHA256=" + twilioJSONHash + "&bodySHA256=" + twilioJSONHash, "application/json", twilioJSON, "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		"JSON with another hash":       {"bodySHA256=" + strings.Repeat("0", 64), "application/json", twilioJSON, "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		"JSON with a short hash":       {"bodySHA256=" + twilioJSONHash[:62], "application/json", twilioJSON, "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		"JSON with an empty hash":      {"bodySHA256=", "application/json", twilioJSON, "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		"the hash as a form":           {"", formType, "%26bodySHA256%3D=" + twilioJSONHash, "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		"the hash as the form's value": {"", formType, "%26=bodySHA256%3D" + twilioJSONHash, "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		"a body that is no form":       {"", "text/plain", twilioForm, twilioSignature, false},
		"no media type":                {"", "", twilioForm, twilioSignature, false},
		"no signature":                 {"", formType, twilioForm, "", false},
		"a signature in hex":           {"", formType, twilioForm, "4523980ede13d5c51374ad4f0ddf77fd556bf01f", false},
		"a signature without padding":  {"", formType, twilioForm, strings.TrimRight(twilioSignature, "="), false},
		"another signature":            {"", formType, twilioForm, "RSOYDt4T1cUTdK1PDd93/VVr8B9=", false},
	} {
		t.Run(name, func(t *testing.T) {
			v := twilioOf(t, twilioURL)
			r := twilioRequest(tt.query, tt.contentType, tt.signature)
			proof, err := v.Verify(r, []byte(tt.body))
			if (err == nil) != tt.want || err != nil && !errors.Is(err, webhook.ErrUnverified) {
				t.Fatalf("Verify = %v, want accepted: %t", err, tt.want)
			}
			if !tt.want {
				return
			}
			if proof.KeyLabel != "1" || len(proof.Signature) != 20 || proof.ID != "" {
				t.Errorf("proof %v", proof)
			}
			if err := v.Admit(r); err != nil {
				t.Error(err)
			}
			signed := twilioRequest(tt.query, tt.contentType, "")
			if err := v.Sign(signed, []byte(tt.body)); err != nil || signed.Header.Get("X-Twilio-Signature") != tt.signature {
				t.Errorf("Sign = %v, %v", signed.Header, err)
			}
			if _, err := v.Verify(signed, []byte(tt.body)); err != nil {
				t.Errorf("what Sign signed: %v", err)
			}
			r.Header.Add("X-Twilio-Signature", tt.signature)
			if err := v.Admit(r); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("two signatures: %v, want ErrUnverified", err)
			}
			if _, err := twilioOf(t, twilioURL+"&x=1").Verify(signed, []byte(tt.body)); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("another URL: %v, want ErrUnverified", err)
			}
		})
	}
}

func TestTwilioSignsJSONForAURLWithoutQuery(t *testing.T) {
	v := twilioOf(t, "https://example.com/hook")
	r := twilioRequest("a=1&bodySHA256=old", "application/json", "")
	if err := v.Sign(r, []byte(twilioJSON)); err != nil || r.URL.RawQuery != "a=1&bodySHA256="+twilioJSONHash {
		t.Fatalf("Sign = %v, the query is %q", err, r.URL.RawQuery)
	}
	if _, err := v.Verify(r, []byte(twilioJSON)); err != nil {
		t.Error(err)
	}
}

func TestTwilioBoundsAForm(t *testing.T) {
	v := twilioOf(t, twilioURL)
	for n, want := range map[int]bool{1000: true, 1001: false} {
		body := []byte(strings.Repeat("a=1&", n-1) + "b=2")
		r := twilioRequest("", formType, twilioSignature)
		err := v.Sign(r, body)
		if (err == nil) != want {
			t.Errorf("Sign of %d parameters = %v", n, err)
		}
		if _, err := v.Verify(r, body); (err == nil) != want || err != nil && !strings.Contains(err.Error(), "1001 parameters, more than 1000") {
			t.Errorf("Verify of %d parameters = %v", n, err)
		}
	}
}

func TestTwilioRefusesFieldsThatDoNotFit(t *testing.T) {
	key := webhook.Keys(webhook.NewSecret("k"))
	each := func(*http.Request) (string, error) { return "", nil }
	for fault, v := range map[string]*webhook.Twilio{
		"neither URL nor URLFunc is set": {Keys: key},
		"URL and URLFunc are both set":   {URL: twilioURL, URLFunc: each, Keys: key},
		`URL "/hook" is not absolute`:    {URL: "/hook?a=b", Keys: key},
		"URL has bodySHA256":             {URL: "https://example.com/?bodySHA256=1", Keys: key},
		"Twilio has no keys":             {URL: twilioURL},
		"the secret of key 1 is empty":   {URL: twilioURL, Keys: make([]webhook.Key, 1)},
	} {
		if err := v.Validate(); err == nil || !strings.HasPrefix(err.Error(), "webhook: ") || !strings.Contains(err.Error(), fault) {
			t.Errorf("Validate = %v, want %s", err, fault)
		}
		if err := v.Admit(twilioRequest("", formType, twilioSignature)); !errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("%s: Admit = %v, want ErrUnverified", fault, err)
		}
	}
}
