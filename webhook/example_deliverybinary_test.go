package webhook_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The message of a queue is one line of JSON and then the body.
func ExampleDelivery_MarshalBinary() {
	d := &webhook.Delivery{
		UID:        "019a7c33a1e05b0f4d6c9a3e8f217b64",
		Source:     "github",
		Type:       "github.push",
		Header:     http.Header{"Content-Type": {"application/json"}, "X-Raw": {"\xff"}},
		Body:       []byte(`{"ref":"refs/heads/main"}`),
		ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	message, err := d.MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(bytes.ReplaceAll(message, []byte(`,"`), []byte(",\n  \""))))
	// Output:
	// {"version":1,
	//   "uid":"019a7c33a1e05b0f4d6c9a3e8f217b64",
	//   "source":"github",
	//   "type":"github.push",
	//   "received_at_us":1767323045000000,
	//   "header":{"Content-Type":["application/json"]},
	//   "header_base64":[["WC1SYXc=",
	//   "/w=="]],
	//   "body_size":25}
	// {"ref":"refs/heads/main"}
}

// A message of a later release, or of another program, is refused.
func ExampleDelivery_UnmarshalBinary() {
	var d webhook.Delivery
	err := d.UnmarshalBinary([]byte(`{"version":2,"uid":"019a7c33a1e05b0f4d6c9a3e8f217b64"}` + "\n{}"))
	fmt.Println(errors.Is(err, webhook.ErrMalformed))
	fmt.Println(err)
	// Output:
	// true
	// webhook: malformed: not an encoded delivery: its version is 2; this program reads version 1
}
