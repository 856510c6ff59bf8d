package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/hookhouse/hookhouse/webhook"
)

// Meter is the payload of this example.
type Meter struct {
	Reading json.Number `json:"reading"`
	Extra   any         `json:"extra"`
}

func (Meter) EventType() string { return "grid.meter" }

// Decode sets another decoder for all typed callbacks of a Mux: here encoding/json that
// keeps numbers exact. The func of any JSON package with this signature works.
func ExampleMux_decode() {
	mux := webhook.Mux{
		Decode: func(document []byte, v any) error {
			d := json.NewDecoder(bytes.NewReader(document))
			d.UseNumber()
			if err := d.Decode(v); err != nil {
				return err
			}
			if _, err := d.Token(); err != io.EOF { // Decode reads only the first value
				return errors.New("more than one JSON value")
			}
			return nil
		},
	}
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[Meter]) error {
		fmt.Println(e.Payload.Reading, e.Payload.Extra)
		return nil
	})
	for _, body := range []string{`{"reading": 1.10, "extra": 12345678901234567890}`, `{"reading": true}`, `{"reading": 1} {"reading": 2}`} {
		err := mux.Handle(context.Background(), &webhook.Delivery{Type: "grid.meter", Body: []byte(body)})
		fmt.Println(errors.Is(err, webhook.ErrMalformed))
	}
	// Output:
	// 1.10 12345678901234567890
	// false
	// true
	// true
}
