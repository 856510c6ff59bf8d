package webhook

import (
	"errors"
	"net/http/httptest"
	"testing"
)

// A list that was emptied after Validate must not prove anything.
func TestPromise7_AnEmptiedAnyOfOrAllOfRefuses(t *testing.T) {
	any, all := NewAnyOf(&InsecureAcceptAll{}), NewAllOf(&InsecureAcceptAll{})
	if err := errors.Join(any.Validate(), all.Validate()); err != nil {
		t.Fatal(err)
	}
	any.verifiers, all.verifiers = nil, nil
	for name, v := range map[string]Verifier{"AnyOf": any, "AllOf": all} {
		r := httptest.NewRequest("POST", "/", nil)
		if err := v.Admit(r); !errors.Is(err, ErrUnverified) {
			t.Errorf("%s: Admit = %v, want ErrUnverified", name, err)
		}
		if _, err := v.Verify(r, nil); !errors.Is(err, ErrUnverified) {
			t.Errorf("%s: Verify = %v, want ErrUnverified", name, err)
		}
	}
}
