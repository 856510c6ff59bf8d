package webhook_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// FuzzSigned checks any template: it is refused, or what Sign signs is verified, and no
// other body, ID, time or URL has the same signature.
func FuzzSigned(f *testing.F) {
	f.Add("{body}", []byte("{}"), []byte("[]"), "1", "2", "1", "https://example.com/other")
	f.Add("v0:{timestamp}:{body}", []byte("1"), []byte(":1"), "1", "2", "946684800", "x")
	f.Add("{id}.{timestamp}.{body}", []byte("b"), []byte(".b"), "msg_1", "msg", "9", "x")
	f.Add("{id}aa{body}", []byte("b"), []byte("ab"), "xa", "x", "", "")
	f.Add("{body}aa{id}", []byte("b"), []byte("ba"), "x", "ax", "", "")
	f.Add("{timestamp}{body}", []byte("1"), []byte("11"), "", "", "17000000001", "")
	f.Add("{url}{body}{timestamp}", []byte("1"), []byte("/1"), "", "", "1", "https://example.com/hooks/")
	f.Add("{body}{", []byte(""), []byte(""), "", "", "", "")
	f.Fuzz(func(t *testing.T, signed string, body, other []byte, id, otherID, otherTime, otherURL string) {
		m := ofTemplate(signed)
		if m.Validate() != nil {
			if m.Sign(httptest.NewRequest("POST", "/", nil), body) == nil {
				t.Fatal("Sign signs what Validate refuses")
			}
			return
		}
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["X-Id"] = []string{id}
		if m.Sign(r, body) != nil {
			return // an ID whose end is not certain
		}
		id = r.Header.Get("X-Id")
		now := r.Header.Get("X-Time")
		verify := func(v *webhook.HMAC, body []byte) error {
			_, err := v.Verify(r, body)
			if err == nil && v.Admit(r) != nil {
				t.Fatal("verified and not admitted")
			}
			return err
		}
		if err := verify(m, body); err != nil {
			t.Fatalf("the original does not verify: %v", err)
		}
		for _, b := range [][]byte{body, other} {
			for _, i := range []string{id, otherID} {
				for _, at := range []string{now, otherTime} {
					r.Header["X-Id"], r.Header["X-Time"] = []string{i}, []string{at}
					same := bytes.Equal(b, body) && (i == id || m.IDHeader == "") && (at == now || m.TimestampHeader == "")
					if err := verify(m, b); (err == nil) != same {
						t.Fatalf("Signed %q, id %q, time %q, body %q: with id %q, time %q, body %q: %v", signed, id, now, body, i, at, b, err)
					}
				}
			}
		}
		if m.URL == "" {
			return
		}
		r.Header["X-Id"], r.Header["X-Time"] = []string{id}, []string{now}
		moved := ofTemplate(signed)
		moved.URL = otherURL
		if moved.Validate() == nil {
			if err := verify(moved, body); (err == nil) != (otherURL == m.URL) {
				t.Fatalf("the URL %q in place of %q: %v", otherURL, m.URL, err)
			}
		}
	})
}

// FuzzItems checks any header of items: it is accepted only if it has the time once and
// the signature as an item of its name.
func FuzzItems(f *testing.F) {
	f.Add([]byte("{}"), "t=@,v1=#", ",")
	f.Add([]byte("{}"), "v1=,t=@ , v1=#,v0=#", ",")
	f.Add([]byte("{}"), "t=@;v1=#;t=@", ";")
	f.Add([]byte("{}"), strings.Repeat("v1=,", 40), "")
	f.Fuzz(func(t *testing.T, body []byte, header, separator string) {
		m := ofTemplate("{timestamp}.{body}")
		m.TimestampHeader, m.Items = "", webhook.Items{Time: "t", Signature: "v1", Separator: separator}
		if m.Validate() != nil {
			return
		}
		r := fuzzSigned(t, m, body)
		if _, err := m.Verify(r, body); err != nil {
			t.Fatalf("the original does not verify: %v", err)
		}
		if separator == "" {
			separator = ","
		}
		timeItem, signature, _ := strings.Cut(r.Header.Get("X-Sig"), separator)
		header = strings.NewReplacer("@", timeItem[len("t="):], "#", signature[len("v1="):]).Replace(header)
		r.Header["X-Sig"] = []string{header}
		times, signed, right := 0, 0, false
		items := strings.Split(header, separator)
		for _, it := range items {
			it = strings.Trim(it, " \t")
			if it == "t" || strings.HasPrefix(it, "t=") {
				times++
				right = right || it == timeItem
			}
			if strings.HasPrefix(it, "v1=") && strings.EqualFold(it, signature) {
				signed++
			}
		}
		_, err := m.Verify(r, body)
		if err == nil && (times != 1 || !right || signed == 0) {
			t.Fatalf("%q is accepted", header)
		}
		if err != nil && times == 1 && right && signed > 0 && len(items) <= 16 {
			t.Fatalf("%q is refused: %v", header, err)
		}
	})
}

func FuzzEd25519(f *testing.F) {
	f.Add([]byte(`{"type":1}`), []byte(`{"type":2}`), strings.Repeat("0", 128), "1", string(ed25519Public(1).Reveal()), false)
	f.Add([]byte(""), []byte("1"), strings.Repeat("A", 86)+"==", "9466848001", strings.Repeat("00", 32), true)
	f.Add([]byte("1"), []byte(""), "", "", "/w==", true)
	f.Fuzz(func(t *testing.T, body, other []byte, value, otherTime, key string, base64 bool) {
		v := discord(ed25519Private(1))
		if base64 {
			v.Encoding = webhook.Base64
		}
		verifierValidate(t, v)
		fuzzSignature(t, v, "X-Signature-Ed25519", body, other, value, func(value, right string) bool {
			return value == right || !base64 && len(value) == len(right) && strings.EqualFold(value, right)
		})
		r := fuzzSigned(t, v, body)
		now := r.Header.Get("X-Signature-Timestamp")
		r.Header["X-Signature-Timestamp"] = []string{otherTime}
		if _, err := v.Verify(r, body); (err == nil) != (otherTime == now) {
			t.Fatalf("the time %q in place of %q: %v", otherTime, now, err)
		}
		another := discord(webhook.NewSecret(key))
		if another.Validate() == nil {
			r.Header["X-Signature-Timestamp"] = []string{now}
			_, err := another.Verify(r, body)
			raw, _ := hex.DecodeString(string(ed25519Public(1).Reveal()))
			if err == nil && !strings.EqualFold(key, hex.EncodeToString(raw)) && len(key) != 128 && len(key) != 44 && len(key) != 88 {
				t.Fatalf("the key %q verifies", key)
			}
		}
	})
}

// twilioText is the signed text of a form after the URL, as Twilio's documentation says,
// written in another way than the verifier.
func twilioText(body string) (text string, ok bool) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return "", false
	}
	var pairs [][2]string
	for name, values := range form {
		for _, v := range values {
			if pair := [2]string{name, v}; !slices.Contains(pairs, pair) {
				pairs = append(pairs, pair)
			}
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	for _, p := range pairs {
		text += p[0] + p[1]
	}
	return text, len(text) == 0 || !strings.HasPrefix(text[1:], "bodySHA256=")
}

func FuzzTwilio(f *testing.F) {
	f.Add(twilioForm, twilioForm+"&a=b", twilioSignature, "", true)
	f.Add("b=1&a=2&a=2", "a=2&b=1", "", "bodySHA256=", true)
	f.Add("ab=c", "a=bc", "", "", true)
	f.Add(twilioJSON, "", "", "bodySHA256="+twilioJSONHash, false)
	f.Add("?bodySHA256=x", "", "", "", true)
	f.Fuzz(func(t *testing.T, body, other, value, query string, form bool) {
		v := &webhook.Twilio{URL: twilioURL, Keys: webhook.Keys(webhook.NewSecret(twilioToken))}
		verifierValidate(t, v)
		contentType := "application/json"
		if form {
			contentType = formType
		}
		if len(body)+len(other) > 1000 {
			return // another test checks the maximum number of parameters
		}
		r := twilioRequest("", contentType, "")
		err := v.Sign(r, []byte(body))
		text, ok := twilioText(body)
		if (err == nil) != (ok || !form) {
			t.Fatalf("Sign of %q = %v", body, err)
		}
		if err != nil {
			return
		}
		if _, err := v.Verify(r, []byte(body)); err != nil || v.Admit(r) != nil {
			t.Fatalf("the original does not verify: %v", err)
		}
		same := body == other
		if form {
			otherText, ok := twilioText(other)
			same = ok && text == otherText
		}
		if _, err := v.Verify(r, []byte(other)); (err == nil) != same {
			t.Fatalf("%q, signed as %q: %v", other, body, err)
		}
		// With another query only the hash of the body counts.
		right := r.URL.RawQuery
		r.URL.RawQuery = query
		sum := sha256.Sum256([]byte(body))
		if _, err := v.Verify(r, []byte(body)); err == nil && !form && !strings.Contains(strings.ToLower(query), hex.EncodeToString(sum[:])) {
			t.Fatalf("%q in place of %q verifies", query, right)
		}
		r.URL.RawQuery = right
		signature := r.Header.Get("X-Twilio-Signature")
		r.Header["X-Twilio-Signature"] = []string{value}
		if _, err := v.Verify(r, []byte(body)); (err == nil) != (value == signature) {
			t.Fatalf("the signature %q in place of %q: %v", value, signature, err)
		}
	})
}

// FuzzScope checks that deliveries of two tenants never share a key.
func FuzzScope(f *testing.F) {
	f.Add("a", "b|c", "a|b", "c")
	f.Add("a%7C", "b", "a|", "b")
	f.Add(strings.Repeat("a", 250), "1", strings.Repeat("a", 250)+"|1", "")
	f.Fuzz(func(t *testing.T, tenant, key, tenant2, key2 string) {
		if tenant == "" || tenant2 == "" {
			return
		}
		src := scopeSource(t)
		a, b := scopeOpen(t, src, tenant, key, key), scopeOpen(t, src, tenant2, key2, key2)
		same := tenant == tenant2 && key == key2
		if key != "" && key2 != "" && (a.OrderingKey == b.OrderingKey) != same {
			t.Fatalf("ordering keys %q and %q", a.OrderingKey, b.OrderingKey)
		}
		for _, k := range a.DedupKeys {
			if slices.Contains(b.DedupKeys, k) != same {
				t.Fatalf("dedup keys %q and %q", a.DedupKeys, b.DedupKeys)
			}
		}
	})
}
