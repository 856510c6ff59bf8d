package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// hsSteps is a Source that records the steps of a request. Its Handshake answers in the
// stage named by the header X-Answer.
func hsSteps() (webhook.Source, *[]string) {
	steps := new([]string)
	add := func(format string, args ...any) { *steps = append(*steps, fmt.Sprintf(format, args...)) }
	src := recvSource()
	src.Verifier = &hsVerifier{src.Verifier, add}
	describe := src.Describe
	src.Describe = func(r *http.Request, body []byte) webhook.Description {
		add("describe")
		return describe(r, body)
	}
	src.Handshake = func(r *http.Request, body []byte, proof *webhook.Proof) *webhook.Answer {
		stage := "unverified"
		if proof != nil {
			stage = "verified by " + proof.KeyLabel
		}
		add("handshake %s %q", stage, body)
		if stage == r.Header.Get("X-Answer") {
			return &webhook.Answer{Status: 201, Body: []byte("answer")}
		}
		return nil
	}
	return src, steps
}

type hsVerifier struct {
	webhook.Verifier
	add func(string, ...any)
}

func (v *hsVerifier) Validate() error {
	return v.Verifier.(interface{ Validate() error }).Validate()
}

func (v *hsVerifier) Sign(r *http.Request, body []byte) error {
	return v.Verifier.(webhook.Signer).Sign(r, body)
}

func (v *hsVerifier) Admit(r *http.Request) error {
	v.add("admit")
	return v.Verifier.Admit(r)
}

func (v *hsVerifier) Verify(r *http.Request, body []byte) (webhook.Proof, error) {
	v.add("verify")
	return v.Verifier.Verify(r, body)
}

// Each stage of Handshake has its place among the steps, and an answered request goes no
// further. The same holds behind Middleware.
func TestHandshakeIsCalledBeforeAdmitAndAfterVerify(t *testing.T) {
	const unverified, verified = `handshake unverified "{}"`, `handshake verified by 1 "{}"`
	all := []string{unverified, "admit", "verify", verified, "describe", "handle {}"}
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		status int
		steps  []string
	}{
		{"no answer", func(*http.Request) {}, 202, all},
		{"an unverified answer", func(r *http.Request) { r.Header.Set("X-Answer", "unverified") }, 201, all[:1]},
		{"an unverified answer, unsigned and of another media type", func(r *http.Request) {
			r.Header.Set("X-Answer", "unverified")
			r.Header.Set("Content-Type", "text/plain")
			r.Header.Del("X-Hub-Signature-256")
		}, 201, all[:1]},
		{"a verified answer", func(r *http.Request) { r.Header.Set("X-Answer", "verified by 1") }, 201, all[:4]},
		{"a verified answer, unsigned", func(r *http.Request) {
			r.Header.Set("X-Answer", "verified by 1")
			r.Header.Del("X-Hub-Signature-256")
		}, 401, all[:2]},
		{"a verified answer, forged", func(r *http.Request) {
			r.Header.Set("X-Answer", "verified by 1")
			r.Header.Set("X-Hub-Signature-256", "sha256="+badSign("[]"))
		}, 401, all[:3]},
		{"a verified answer of another media type", func(r *http.Request) {
			r.Header.Set("X-Answer", "verified by 1")
			r.Header.Set("Content-Type", "text/plain")
		}, 415, all[:2]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src, steps := hsSteps()
			src.ContentTypes = []string{"application/json"}
			handle := func(body []byte) { *steps = append(*steps, "handle "+string(body)) }
			rc := webhook.NewReceiver(src, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
				handle(d.Body)
				return nil
			}))
			rc.Logger, _ = recvLogger()
			mwQuiet(t)
			for name, h := range map[string]http.Handler{
				"Receiver": rc,
				"Middleware": src.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					handle(body)
					w.WriteHeader(202)
				})),
			} {
				*steps = nil
				r := recvRequest(t, src, "{}")
				tt.change(r)
				w := recvServe(h, r)
				if w.Code != tt.status || tt.status == 201 && w.Body.String() != "answer" {
					t.Errorf("%s: answer %d %q, want %d", name, w.Code, w.Body, tt.status)
				}
				if diff := cmp.Diff(tt.steps, *steps); diff != "" {
					t.Errorf("%s: steps (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// Without a Handshake only POST is taken, as ever. With one, other methods are
// answered or get 405.
func TestHandshakeMethods(t *testing.T) {
	const four = "GET, HEAD, OPTIONS, POST"
	for _, tt := range []struct {
		method, answers string // the stage that answers; "" if none does, "-" without a Handshake
		status          int
		allow           string
	}{
		{"GET", "unverified", 201, ""},
		{"HEAD", "unverified", 201, ""},
		{"OPTIONS", "unverified", 201, ""},
		{"POST", "unverified", 201, ""},
		{"PUT", "unverified", 405, four},
		{"QUERY", "unverified", 405, four},
		{"get", "unverified", 405, four},
		{"GET", "", 405, four},
		{"HEAD", "", 405, four},
		{"OPTIONS", "verified by 1", 405, four},
		{"POST", "", 202, ""},
		{"GET", "-", 405, "POST"},
		{"HEAD", "-", 405, "POST"},
		{"OPTIONS", "-", 405, "POST"},
		{"PUT", "-", 405, "POST"},
	} {
		t.Run(tt.method+" "+tt.answers, func(t *testing.T) {
			src, _ := hsSteps()
			if tt.answers == "-" {
				src.Handshake = nil
			}
			rc := webhook.NewReceiver(src, recvOK)
			var log *recvLog
			rc.Logger, log = recvLogger()
			r := recvRequest(t, src, "{}")
			r.Method = tt.method
			r.Header.Set("X-Answer", tt.answers)
			w := recvServe(rc, r)
			if w.Code != tt.status || w.Header().Get("Allow") != tt.allow {
				t.Errorf("answer %d, Allow %q, want %d, %q", w.Code, w.Header().Get("Allow"), tt.status, tt.allow)
			}
			if lines := len(log.lines(t)); lines != 0 && tt.status < 400 || lines != 1 && tt.status == 405 {
				t.Errorf("log %s", log)
			}
			if tt.method == "HEAD" && tt.status == 201 && w.Body.Len() > 0 {
				t.Errorf("HEAD is answered with the body %q", w.Body)
			}
		})
	}
}
