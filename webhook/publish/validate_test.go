package publish_test

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// storable returns an endpoint that every Store takes.
func storable() *publish.Endpoint {
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	return &publish.Endpoint{
		ID: "ep_1", Owner: "acme", Name: "orders", URL: "https://example.com/very-secret-path?token=very-secret-query",
		Events:  []string{"order.paid", "invoice.*", "*"},
		Secrets: []publish.Secret{{Secret: webhook.NewSecret("very-secret-key")}},
		Header:  http.Header{"Authorization": {"very-secret-value"}},
		Meta:    map[string]string{"password": "very-secret-meta"},
		State:   publish.Active, Since: at, Created: at,
	}
}

func TestAnEndpointThatNoStoreTakesIsRefusedWithFieldValueAndFault(t *testing.T) {
	long := strings.Repeat("n", 10<<10)
	for _, tt := range []struct {
		name   string
		change func(e *publish.Endpoint)
		want   []string // parts of the error
	}{
		{"no ID", func(e *publish.Endpoint) { e.ID = "" }, []string{"ID", "empty"}},
		{"a name of 10 KB", func(e *publish.Endpoint) { e.Name = long }, []string{"Name", `"nnnn`, "10240 bytes", "255"}},
		{"a long owner", func(e *publish.Endpoint) { e.Owner = long[:256] }, []string{"Owner", "256 bytes"}},
		{"a NUL", func(e *publish.Endpoint) { e.Owner = "a\x00b" }, []string{"Owner", `"a\x00b"`, "NUL"}},
		{"invalid UTF-8", func(e *publish.Endpoint) { e.Name = "a\xffb" }, []string{"Name", `"a\xffb"`, "UTF-8"}},
		{"a long description", func(e *publish.Endpoint) { e.Description = long }, []string{"Description", "4096"}},
		{"a long scheme", func(e *publish.Endpoint) { e.Scheme = long }, []string{"Scheme", "255"}},
		{"no URL", func(e *publish.Endpoint) { e.URL = "" }, []string{"URL", "no scheme or no host"}},
		{"a relative URL", func(e *publish.Endpoint) { e.URL = "/very-secret-path" }, []string{"URL", "no scheme or no host"}},
		{"a URL without a host", func(e *publish.Endpoint) { e.URL = "mailto:a@example.com" }, []string{"URL", "no scheme or no host"}},
		{"a broken URL", func(e *publish.Endpoint) { e.URL = "https://example.com/%zz" }, []string{"URL", "parsed"}},
		{"a long URL", func(e *publish.Endpoint) { e.URL += long }, []string{"URL", `"https://example.com"`, "2048"}},
		{"no events", func(e *publish.Endpoint) { e.Events = nil }, []string{"Events", "0", "1 to 100"}},
		{"many events", func(e *publish.Endpoint) { e.Events = make([]string, 101) }, []string{"Events", "101"}},
		{"an event twice", func(e *publish.Endpoint) { e.Events = []string{"a", "b", "a"} }, []string{"Events[2]", `"a"`, "twice"}},
		{"an unknown pattern", func(e *publish.Endpoint) { e.Events = []string{"a.*.b"} }, []string{"Events[0]", `"a.*.b"`, "asterisk", `"a.*"`}},
		{"many secrets", func(e *publish.Endpoint) { e.Secrets = make([]publish.Secret, 17) }, []string{"Secrets", "17", "16"}},
		{"an empty secret", func(e *publish.Endpoint) { e.Secrets = append(e.Secrets, publish.Secret{}) }, []string{"Secrets[1]", "0 bytes"}},
		{"a long secret", func(e *publish.Endpoint) { e.Secrets[0].Secret = webhook.NewSecret(long) }, []string{"Secrets[0]", "10240 bytes"}},
		{"a secret until 1969", func(e *publish.Endpoint) { e.Secrets[0].Until = time.Unix(-1, 0) }, []string{"Secrets[0].Until", "1970"}},
		{"a huge header", func(e *publish.Endpoint) { e.Header = hugeHeader() }, []string{"Header", "bytes", "8192"}},
		{"a header of two lines", func(e *publish.Endpoint) { e.Header.Set("X-A", "very-secret\r\nb") }, []string{"Header", `"X-A"`, "character"}},
		{"a header with a bad name", func(e *publish.Endpoint) { e.Header = http.Header{"X A": {"b"}} }, []string{"Header", `"X A"`, "name"}},
		{"a header that is not canonical", func(e *publish.Endpoint) { e.Header = http.Header{"x-a": {"b"}} }, []string{"Header", `"x-a"`, "X-A"}},
		{"a header without a value", func(e *publish.Endpoint) { e.Header = http.Header{"X-A": nil} }, []string{"Header", `"X-A"`, "no value"}},
		{"many empty headers", func(e *publish.Endpoint) { e.Header["X-A"] = make([]string, 1<<20) }, []string{"Header", "bytes"}},
		{"a rate that is NaN", func(e *publish.Endpoint) { e.Rate = math.NaN() }, []string{"Rate NaN", "positive"}},
		{"an infinite rate", func(e *publish.Endpoint) { e.Rate = math.Inf(1) }, []string{"Rate +Inf"}},
		{"a negative rate", func(e *publish.Endpoint) { e.Rate = -0.5 }, []string{"Rate -0.5"}},
		{"many lanes", func(e *publish.Endpoint) { e.Lanes = 65 }, []string{"Lanes 65", "64"}},
		{"negative attempts", func(e *publish.Endpoint) { e.MaxAttempts = -1 }, []string{"MaxAttempts -1", "1000"}},
		{"large meta", func(e *publish.Endpoint) { e.Meta["a"] = long + long }, []string{"Meta", `"a"`, "16384"}},
		{"much meta", func(e *publish.Endpoint) { e.Meta["a"], e.Meta["b"] = long, long }, []string{"Meta", "bytes"}},
		{"meta with a NUL", func(e *publish.Endpoint) { e.Meta["a\x00"] = "" }, []string{"Meta", "NUL"}},
		{"an unknown state", func(e *publish.Endpoint) { e.State = "asleep" }, []string{"State", `"asleep"`, `"active"`}},
		{"no creation", func(e *publish.Endpoint) { e.Created = time.Time{} }, []string{"Created", "zero time"}},
		{"no begin of the state", func(e *publish.Endpoint) { e.Since = time.Time{} }, []string{"Since", "zero time"}},
		{"failing since 1969", func(e *publish.Endpoint) { e.FailingSince = time.Unix(-1, 0) }, []string{"FailingSince", "1970"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := storable()
			tt.change(e)
			err := e.Validate()
			if !errors.Is(err, publish.ErrEndpoint) {
				t.Fatalf("Validate returned %v, want ErrEndpoint", err)
			}
			for _, part := range append(tt.want, strconv.Quote(e.ID)) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %s", err, part)
				}
			}
			if strings.Contains(err.Error(), "very-secret") || len(err.Error()) > 400 {
				t.Errorf("%q has %d bytes, or a secret", err, len(err.Error()))
			}
		})
	}
}

func hugeHeader() http.Header {
	h := make(http.Header)
	for i := range 10_000 {
		h.Set("X-"+strconv.Itoa(i), "very-secret-value")
	}
	return h
}

func TestAnEndpointWithinTheLimitsIsValid(t *testing.T) {
	for name, change := range map[string]func(e *publish.Endpoint){
		"a usual one":           func(*publish.Endpoint) {},
		"no owner, no name":     func(e *publish.Endpoint) { e.Owner, e.Name = "", "" },
		"no secret":             func(e *publish.Endpoint) { e.Secrets = nil },
		"any bytes as a reason": func(e *publish.Endpoint) { e.Reason = strings.Repeat("\xff\x00", 9000) },
		"a port and userinfo":   func(e *publish.Endpoint) { e.URL = "http://user:word@[::1]:8080" },
		"the largest numbers":   func(e *publish.Endpoint) { e.Rate, e.Lanes, e.MaxAttempts = 1e9, 64, 1000 },
		"a failing one":         func(e *publish.Endpoint) { e.FailingSince = e.Since },
	} {
		e := storable()
		change(e)
		if err := e.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAttemptThatNoStoreTakesIsRefusedWithFieldValueAndFault(t *testing.T) {
	at := storable().Since
	for name, tt := range map[string]struct {
		change func(a *publish.Attempt)
		want   []string
	}{
		"no endpoint":       {func(a *publish.Attempt) { a.Endpoint = "" }, []string{"Endpoint", "empty"}},
		"a long event":      {func(a *publish.Attempt) { a.Event = strings.Repeat("e", 256) }, []string{"Event", "256 bytes"}},
		"a NUL in the UID":  {func(a *publish.Attempt) { a.UID = "a\x00" }, []string{"UID", `"a\x00"`, "NUL"}},
		"no type":           {func(a *publish.Attempt) { a.Type = "" }, []string{"Type", "empty"}},
		"number 0":          {func(a *publish.Attempt) { a.Number = 0 }, []string{"Number 0"}},
		"a negative time":   {func(a *publish.Attempt) { a.Took = -time.Second }, []string{"Took -1s"}},
		"a status of 42":    {func(a *publish.Attempt) { a.Status = 42 }, []string{"Status 42"}},
		"an unknown result": {func(a *publish.Attempt) { a.Result = "maybe" }, []string{`Result "maybe"`}},
		"no time":           {func(a *publish.Attempt) { a.At = time.Time{} }, []string{"At", "zero time"}},
		"next in 1969":      {func(a *publish.Attempt) { a.Next = time.Unix(-1, 0) }, []string{"Next", "1970"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := publish.Attempt{Endpoint: "ep_1", Event: "e", UID: "u", Type: "t", Number: 1, At: at, Result: publish.Delivered}
			if err := a.Validate(); err != nil {
				t.Fatalf("a valid one: %v", err)
			}
			tt.change(&a)
			err := a.Validate()
			if !errors.Is(err, publish.ErrAttempt) {
				t.Fatalf("Validate returned %v, want ErrAttempt", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %s", err, part)
				}
			}
		})
	}
}
