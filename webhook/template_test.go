package webhook_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Each fault is refused with the field, its value and what is wrong.
func TestHMACRefusesFieldsThatDoNotFit(t *testing.T) {
	urlFunc := func(*http.Request) (string, error) { return "", nil }
	for name, tt := range map[string]struct {
		m     *webhook.HMAC
		fault string
	}{
		"no body":                     {&webhook.HMAC{Signed: "{timestamp}.", TimestampHeader: "T"}, `Signed "{timestamp}." has no {body}`},
		"body twice":                  {&webhook.HMAC{Signed: "{body}.{body}"}, `Signed "{body}.{body}" has {body} twice`},
		"timestamp twice":             {&webhook.HMAC{Signed: "{timestamp}{body}{timestamp}", TimestampHeader: "T"}, `has {timestamp} twice`},
		"unknown word":                {&webhook.HMAC{Signed: "{time}.{body}"}, `Signed "{time}.{body}" has the unknown word {time}`},
		"word in upper case":          {&webhook.HMAC{Signed: "{Body}"}, `unknown word {Body}`},
		"empty word":                  {&webhook.HMAC{Signed: "{}{body}"}, `unknown word {}`},
		"open brace":                  {&webhook.HMAC{Signed: "{body}{"}, `Signed "{body}{" has a { without a }`},
		"closing brace":               {&webhook.HMAC{Signed: "}{body}"}, `Signed "}{body}" has a } without a {`},
		"timestamp without header":    {&webhook.HMAC{Signed: "{timestamp}.{body}"}, `Signed "{timestamp}.{body}" has {timestamp}, but neither`},
		"header without timestamp":    {&webhook.HMAC{TimestampHeader: "X-Time"}, `TimestampHeader is "X-Time", but Signed "" has no {timestamp}`},
		"item without timestamp":      {&webhook.HMAC{Items: webhook.Items{Time: "t", Signature: "v1"}}, `Items.Time is "t", but Signed "" has no {timestamp}`},
		"two places of the timestamp": {&webhook.HMAC{Signed: "{timestamp}{body}", TimestampHeader: "T", Items: webhook.Items{Time: "t", Signature: "s"}}, `TimestampHeader "T" and Items.Time "t"`},
		"tolerance without timestamp": {&webhook.HMAC{Tolerance: time.Minute}, `Tolerance is 1m0s, but Signed "" has no {timestamp}`},
		"negative tolerance":          {&webhook.HMAC{Signed: "{timestamp}{body}", TimestampHeader: "T", Tolerance: -time.Second}, `the Tolerance of -1s is negative`},
		"tolerance of nanoseconds":    {&webhook.HMAC{Signed: "{timestamp}{body}", TimestampHeader: "T", Tolerance: 300}, `the Tolerance of 300ns is shorter than a second`},
		"id without header":           {&webhook.HMAC{Signed: "{id}.{body}"}, `Signed "{id}.{body}" has {id}, but IDHeader is not set`},
		"header without id":           {&webhook.HMAC{IDHeader: "X-Id"}, `IDHeader is "X-Id", but Signed "" has no {id}`},
		"id before body":              {&webhook.HMAC{Signed: "{id}{body}", IDHeader: "I"}, `Signed "{id}{body}" has {id} next to another word`},
		"id after body":               {&webhook.HMAC{Signed: "{body}{id}", IDHeader: "I"}, `has {id} next to another word`},
		"id before timestamp":         {&webhook.HMAC{Signed: "{id}{timestamp}.{body}", IDHeader: "I", TimestampHeader: "T"}, `has {id} next to another word`},
		"id after timestamp":          {&webhook.HMAC{Signed: "{timestamp}{id}.{body}", IDHeader: "I", TimestampHeader: "T"}, `has {id} next to another word`},
		"id after url":                {&webhook.HMAC{Signed: "{url}{id}.{body}", IDHeader: "I", URL: "https://a.example/"}, `has {id} next to another word`},
		"url without URL":             {&webhook.HMAC{Signed: "{url}{body}"}, `Signed "{url}{body}" has {url}, but neither URL nor URLFunc is set`},
		"URL without url":             {&webhook.HMAC{URL: "https://a.example/"}, `URL or URLFunc is set, but Signed "" has no {url}`},
		"URLFunc without url":         {&webhook.HMAC{URLFunc: urlFunc}, `URL or URLFunc is set, but Signed "" has no {url}`},
		"URL and URLFunc":             {&webhook.HMAC{Signed: "{url}{body}", URL: "https://a.example/", URLFunc: urlFunc}, `URL and URLFunc are both set`},
		"URL that is a path":          {&webhook.HMAC{Signed: "{url}{body}", URL: "/hooks?token=abc"}, `URL "/hooks" is not absolute`},
		"URL without scheme":          {&webhook.HMAC{Signed: "{url}{body}", URL: "a.example/hooks"}, `URL "a.example/hooks" is not absolute`},
		"URL with a password":         {&webhook.HMAC{Signed: "{url}{body}", URL: "htps://user:pa@ss@a.example/hooks"}, `URL "a.example/hooks" is not absolute`},
		"URL with a fragment":         {&webhook.HMAC{Signed: "{url}{body}", URL: "/hooks#secret"}, `URL "/hooks" is not absolute`},
		"prefix with the separator":   {&webhook.HMAC{Prefix: "a,b", Items: webhook.Items{Signature: "v1"}}, `Prefix "a,b" has the separator of Items`},
		"header with a colon":         {&webhook.HMAC{Header: "X-Sig:"}, `Header "X-Sig:" is not a header name`},
		"time header with a space":    {&webhook.HMAC{Signed: "{timestamp}{body}", TimestampHeader: "X Time"}, `TimestampHeader "X Time" is not a header name`},
		"id header of letters":        {&webhook.HMAC{Signed: "{id}.{body}", IDHeader: "X-Ü"}, `IDHeader "X-Ü" is not a header name`},
		"one header for two":          {&webhook.HMAC{Signed: "{timestamp}{body}", TimestampHeader: "x-sig"}, `TimestampHeader "x-sig" and IDHeader "" must differ`},
		"items without signature":     {&webhook.HMAC{Items: webhook.Items{Separator: ";"}}, `Items.Signature is not set`},
		"items of one name":           {&webhook.HMAC{Items: webhook.Items{Time: "a", Signature: "a"}}, `Items.Time and Items.Signature are both "a"`},
		"item with an equals sign":    {&webhook.HMAC{Items: webhook.Items{Signature: "v1="}}, `no item can have the name "v1="`},
		"item with the separator":     {&webhook.HMAC{Items: webhook.Items{Signature: "a;b", Separator: ";"}}, `no item can have the name "a;b"`},
		"separator of digits":         {&webhook.HMAC{Items: webhook.Items{Signature: "v1", Separator: "0"}}, `Items.Separator "0" can be part of an item`},
		"separator of white space":    {&webhook.HMAC{Items: webhook.Items{Signature: "v1", Separator: " "}}, `Items.Separator " " can be part of an item`},
	} {
		t.Run(name, func(t *testing.T) {
			m := tt.m
			if m.Header == "" {
				m.Header = "X-Sig"
			}
			m.Keys = webhook.Keys(webhook.NewSecret("k"))
			err := m.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), "webhook: HMAC: ") || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("Validate = %v, want %s", err, tt.fault)
			}
			if m.Sign(verifierRequest(), nil) == nil {
				t.Error("Sign signs")
			}
			if err := m.Admit(verifierRequest()); !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Admit = %v, want ErrUnverified", err)
			}
		})
	}
}

// An ID is refused if its end in the signed text is not certain, since another ID and
// another body could have the same signature.
func TestHMACRefusesAnIDWhoseEndIsNotCertain(t *testing.T) {
	for _, tt := range []struct {
		signed, id string
		want       bool
	}{
		{"{id}.{body}", "msg_1", true},
		{"{id}.{body}", "msg.1", false},
		{"{id}.{body}", ".", false},
		{"{id}.{body}", "", false},
		{"{id}::{body}", "a:b", true},
		{"{id}::{body}", "a:", false}, // "a:::" has "::" one byte earlier
		{"{id}::{body}", ":a", true},
		{"{body}.{id}", "a.b", false},
		{"{body}.{id}", "a", true},
		{"{body}::{id}", ":a", false},
		{"{body}::{id}", "a:", true},
		{"{body}.{id}-", "a-b", false},
		{"v0.{id}-{body}", "a.b", true}, // the literal before it marks no end
	} {
		m := &webhook.HMAC{Header: "X-Sig", Signed: tt.signed, IDHeader: "X-Id", Keys: webhook.Keys(webhook.NewSecret("k"))}
		verifierValidate(t, m)
		r := verifierRequest()
		r.Header.Set("X-Id", "1")
		if err := m.Sign(r, []byte("b")); err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Id", tt.id)
		err := m.Admit(r)
		if (err == nil) != tt.want || err != nil && !errors.Is(err, webhook.ErrUnverified) {
			t.Errorf("%s with the id %q: %v, want admitted: %t", tt.signed, tt.id, err, tt.want)
		}
		if err != nil && !strings.Contains(err.Error(), "X-Id") {
			t.Errorf("%s with the id %q: %q does not name X-Id", tt.signed, tt.id, err)
		}
		if err := m.Sign(r, nil); (err == nil) != (tt.want || tt.id == "") {
			t.Errorf("%s with the id %q: Sign = %v", tt.signed, tt.id, err)
		}
	}
}

// The text that is signed, computed without our parser.
func TestHMACSignsTheTemplate(t *testing.T) {
	for _, tt := range []struct{ signed, format string }{
		{"", "%[4]s"},
		{"{timestamp}.{body}", "%[2]s.%[4]s"},
		{"v0:{timestamp}:{body}", "v0:%[2]s:%[4]s"},
		{"{url}{body}", "%[3]s%[4]s"},
		{"{body}{url}", "%[4]s%[3]s"},
		{"{id}.{timestamp}.{body}", "%[1]s.%[2]s.%[4]s"},
		{"a {body} {url}{timestamp}\n{id}", "a %[4]s %[3]s%[2]s\n%[1]s"},
	} {
		m := ofTemplate(tt.signed)
		verifierValidate(t, m)
		r := verifierRequest()
		if err := m.Sign(r, []byte("the body")); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(tt.format+"%.0[1]s%.0[2]s%.0[3]s%.0[4]s", r.Header.Get("X-Id"), r.Header.Get("X-Time"), m.URL, "the body")
		plain := &webhook.HMAC{Header: "X-Sig", Keys: m.Keys}
		other := verifierRequest()
		if err := plain.Sign(other, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, want := r.Header.Get("X-Sig"), other.Header.Get("X-Sig"); got != want {
			t.Errorf("Signed %q: the signature is not over %q", tt.signed, text)
		}
		proof, err := m.Verify(r, []byte("the body"))
		if err != nil || proof.ID != r.Header.Get("X-Id") {
			t.Errorf("Signed %q: Verify = %v, %v", tt.signed, proof, err)
		}
	}
}

// ofTemplate returns an HMAC with the fields that the template needs.
func ofTemplate(signed string) *webhook.HMAC {
	m := &webhook.HMAC{Header: "X-Sig", Signed: signed, Keys: webhook.Keys(webhook.NewSecret("k"))}
	if strings.Contains(signed, "{timestamp}") {
		m.TimestampHeader = "X-Time"
	}
	if strings.Contains(signed, "{id}") {
		m.IDHeader = "X-Id"
	}
	if strings.Contains(signed, "{url}") {
		m.URL = "https://example.com/hooks"
	}
	return m
}
