package pace

import (
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestASetterTakesTheFirstNameThatFits(t *testing.T) {
	type before struct{ Key string }
	type after struct{ OrderingKey, Key string }
	type another struct {
		OrderingKey int
		Key         string
	}
	var b before
	var a after
	var x another
	setter[before, string]("OrderingKey", "Key")(&b, "k")
	setter[after, string]("OrderingKey", "Key")(&a, "k")
	setter[another, string]("OrderingKey", "Key")(&x, "k")
	if b != (before{Key: "k"}) || a != (after{OrderingKey: "k"}) || x != (another{Key: "k"}) {
		t.Errorf("got %+v, %+v and %+v", b, a, x)
	}
}

func TestASetterWithoutAFieldPanics(t *testing.T) {
	defer func() {
		if got, _ := recover().(string); !strings.Contains(got, "webhook.Delivery") {
			t.Errorf("panic %q does not name the type", got)
		}
	}()
	setter[webhook.Delivery, int]("OrderingKey", "no such")
}

func TestASetterAllocatesNothing(t *testing.T) {
	var d webhook.Delivery
	keys := []string{"id:1"}
	if n := testing.AllocsPerRun(100, func() { setOrderingKey(&d, "key"); setDedupKeys(&d, keys) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
