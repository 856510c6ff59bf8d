package pace

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// bodySize is what the body of a push has in bytes.
const bodySize = 8192

var (
	body   = append(bytes.Repeat([]byte(`{"a":"push of some eight kilobytes"}`+"\n"), bodySize/37), bytes.Repeat([]byte(" "), bodySize%37)...)
	header = http.Header{
		"Content-Type":        {"application/json"},
		"User-Agent":          {"GitHub-Hookshot/abcdef0"},
		"X-Github-Event":      {"push"},
		"X-Github-Delivery":   {"72d3162e-cc78-11e3-81ab-4c9367dc0958"},
		"X-Hub-Signature-256": {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
	}
)

// Delivery is a push of 8 KB with that number under that key, empty for none. Its
// UID, id and dedup key are the number's own. Header and Body are shared.
func Delivery(number int, key string) *webhook.Delivery {
	d := &webhook.Delivery{
		UID: fmt.Sprintf("uid%012d", number), Source: "github", ID: fmt.Sprint(number), Type: "github.push",
		Header: header, Body: body, ReceivedAt: time.Now(),
	}
	setOrderingKey(d, key)
	setDedupKeys(d, []string{fmt.Sprint("id:", number)})
	return d
}
