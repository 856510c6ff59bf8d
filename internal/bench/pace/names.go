package pace

import (
	"fmt"
	"reflect"

	"github.com/hookhouse/hookhouse/webhook"
)

// These fields had other names in older commits. The compiler would refuse a name
// that its commit does not have, so they are looked up when the program starts.
var (
	setOrderingKey = setter[webhook.Delivery, string]("OrderingKey", "Key")
	setDedupKeys   = setter[webhook.Delivery, []string]("DedupKeys", "Unique")
	setConcurrency = setter[webhook.Worker, int]("Concurrency", "Limit")
)

// setter returns a function that sets a field of T: that of the first name for
// which T has a field of type V. It panics if there is none. The function does not
// allocate, as it is called for each Put that is measured.
func setter[T, V any](names ...string) func(to *T, value V) {
	t, v := reflect.TypeFor[T](), reflect.TypeFor[V]()
	for _, name := range names {
		if f, ok := t.FieldByName(name); ok && f.Type == v && f.IsExported() {
			return func(to *T, value V) {
				*reflect.ValueOf(to).Elem().FieldByIndex(f.Index).Addr().Interface().(*V) = value
			}
		}
	}
	panic(fmt.Sprintf("pace: %v has no field of type %v named one of %q", t, v, names))
}
