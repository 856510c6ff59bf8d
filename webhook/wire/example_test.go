package wire_test

import (
	"encoding/json"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// This is a payload of a sender that writes times and numbers in several forms.
func Example() {
	type build struct {
		Started wire.Time             `json:"started,omitzero"`
		Tests   wire.Int              `json:"tests,omitzero"`
		Notes   wire.Optional[string] `json:"notes,omitzero"`
	}
	for _, doc := range []string{
		`{"started":1714564800,"tests":"12","notes":null}`,
		`{"started":"2024-05-01T12:00:00.5Z","tests":12}`,
	} {
		var b build
		if err := json.Unmarshal([]byte(doc), &b); err != nil {
			fmt.Println(err)
			return
		}
		again, err := json.Marshal(b)
		fmt.Println(b.Started.UTC(), b.Tests.Int64(), b.Notes.Or("none"), b.Notes.IsNull())
		fmt.Println(string(again) == doc, err)
	}
	// Output:
	// 2024-05-01 12:00:00 +0000 UTC 12 none true
	// true <nil>
	// 2024-05-01 12:00:00.5 +0000 UTC 12 none false
	// true <nil>
}

// Text that is not a time is not an error. Text returns it.
func ExampleTime_Valid() {
	var t wire.Time
	err := json.Unmarshal([]byte(`"2016-11-29 12:25:46"`), &t)
	fmt.Println(t.Valid(), t.Text(), err)
	// Output: false 2016-11-29 12:25:46 <nil>
}
