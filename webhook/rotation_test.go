package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// While a secret is rotated, the old one gets another position and so another label.
// Earlier deliveries must still be duplicates, by ID and by signature.
func TestDuplicateIsRecognizedAcrossARotation(t *testing.T) {
	old, next := webhook.NewSecret("old"), webhook.NewSecret("next")
	source := func(keys ...webhook.Key) webhook.Source {
		src := webhook.Source{
			Name:     "shop",
			Verifier: &webhook.HMAC{Header: "X-Signature", Keys: keys},
			Describe: func(r *http.Request, _ []byte) webhook.Description {
				return webhook.Description{ID: r.Header.Get("X-Id"), DedupBySignature: true}
			},
		}
		if err := src.Validate(); err != nil {
			t.Fatal(err)
		}
		return src
	}
	open := func(src webhook.Source, with webhook.Secret, id string) *webhook.Delivery {
		t.Helper()
		r, body := httptest.NewRequest("POST", "/", nil), []byte("{}")
		r.Header.Set("X-Id", id)
		if err := (&webhook.HMAC{Header: "X-Signature", Keys: webhook.Keys(with)}).Sign(r, body); err != nil {
			t.Fatal(err)
		}
		d, err := src.Open(r, body)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	before := open(source(webhook.Keys(old)...), old, "1")
	during := source(webhook.Keys(next, old)...)
	for _, tt := range []struct {
		name  string
		d     *webhook.Delivery
		label string
		dup   bool
	}{
		{"sent again as it was", open(during, old, "1"), "2", true},
		{"captured, under a new id", open(during, old, "2"), "2", true},
		{"sent again by a sender that has the new secret", open(during, next, "1"), "1", true},
		{"under a label of its own", open(source(webhook.Key{Label: "2025", Secret: old}), old, "3"), "2025", true},
		{"another delivery, signed with the new secret", open(during, next, "4"), "1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var inbox webhook.MemInbox
			if err := inbox.Put(t.Context(), before); err != nil {
				t.Fatal(err)
			}
			err := inbox.Put(t.Context(), tt.d)
			if got := errors.Is(err, webhook.ErrDuplicate); got != tt.dup {
				t.Fatalf("%v: errors.Is(err, webhook.ErrDuplicate) = %v, want %v", err, got, tt.dup)
			}
			if tt.d.KeyLabel != tt.label {
				t.Fatalf("tt.d.KeyLabel = %q, want %q", tt.d.KeyLabel, tt.label)
			}
		})
	}
	if before.KeyLabel != "1" {
		t.Fatalf("before.KeyLabel = %q, want \"1\"", before.KeyLabel)
	}
	if diff := cmp.Diff(before.DedupKeys, open(during, old, "1").DedupKeys); diff != "" {
		t.Fatalf("no label in a dedup key: open(during, old, \"1\").DedupKeys (-want +got):\n%s", diff)
	}
}
