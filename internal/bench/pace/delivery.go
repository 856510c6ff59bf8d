package pace

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// bodySize is the size of a push's body in bytes.
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

// Delivery is a push of 8 KB with that ordering key, which may be empty. Its UID,
// id and dedup key follow from the number. All share Header and Body.
func Delivery(number int, key string) *webhook.Delivery {
	d := &webhook.Delivery{
		UID: fmt.Sprintf("uid%012d", number), Source: "github", ID: fmt.Sprint(number), Type: "github.push",
		Header: header, Body: body, ReceivedAt: time.Now(),
	}
	setOrderingKey(d, key)
	setDedupKeys(d, []string{fmt.Sprint("id:", number)})
	return d
}

// smallBody is for deliveries that only have to be stored.
var smallBody = body[:37]

// Push is a delivery with that body whose id, signature and dedup keys look random,
// as those of GitHub do. They follow from the number.
func Push(number int, key string, body []byte) *webhook.Delivery {
	d := Delivery(number, key)
	sum := sha256.Sum256([]byte(d.UID))
	d.Body, d.ID = body, hex.EncodeToString(sum[:16])
	setDedupKeys(d, []string{"id:" + d.ID, "signature:" + hex.EncodeToString(sum[:])})
	return d
}
