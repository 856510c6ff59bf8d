package receive

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/hookhouse/hookhouse/internal/bench/sender"
	"github.com/hookhouse/hookhouse/internal/scan"
)

// A floor does the least that any handler has to do for the same result: it is
// written by hand, with one exact allocation for the body, a pooled HMAC, and the
// work under test on the bytes. It keeps no headers, mints no id and does not limit
// memory.

// floorPush reads, verifies, and hands over what work returns for the bytes.
func floorPush(work func([]byte) any) func(func(any)) http.Handler {
	return func(accept func(any)) http.Handler {
		return verifying(func(w http.ResponseWriter, _ *http.Request, text []byte) { answer(w, accept, work(text)) })
	}
}

// StoreBody is the cheapest way to verify a push before put stores its body. The
// answer is 202 if put returns nil.
func StoreBody(put func(ctx context.Context, body []byte) error) http.Handler {
	return verifying(func(w http.ResponseWriter, r *http.Request, text []byte) {
		if err := put(r.Context(), text); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

func verifying(next func(w http.ResponseWriter, r *http.Request, text []byte)) http.Handler {
	macs := sync.Pool{New: newMAC}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, text); err != nil || !verified(&macs, r, text) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r, text)
	})
}

// floorImage reads and does not verify, as Docker Hub signs nothing.
func floorImage(work func([]byte) any) func(func(any)) http.Handler {
	return func(accept func(any)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text := make([]byte, r.ContentLength)
			if _, err := io.ReadFull(r.Body, text); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			answer(w, accept, work(text))
		})
	}
}

func answer(w http.ResponseWriter, accept func(any), v any) {
	if v == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	accept(v)
	w.WriteHeader(http.StatusAccepted)
}

type macState struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func newMAC() any { return &macState{mac: hmac.New(sha256.New, []byte(sender.Secret))} }

func verified(macs *sync.Pool, r *http.Request, text []byte) bool {
	given, ok := strings.CutPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")
	var written [2 * sha256.Size]byte
	var digest [sha256.Size]byte
	if !ok || len(given) != copy(written[:], given) {
		return false
	}
	if n, err := hex.Decode(digest[:], written[:]); err != nil || n != len(digest) {
		return false
	}
	s := macs.Get().(*macState)
	s.mac.Write(text)
	equal := hmac.Equal(s.mac.Sum(s.sum[:0]), digest[:])
	s.mac.Reset()
	macs.Put(s)
	return equal
}

// The paths that the Sources of Hookhouse scan.
var (
	pushPaths  = scan.New("repository.full_name", "ref")
	imagePaths = scan.New("push_data", "push_data.tag", "repository.repo_name")
)

// proven is what floors without a decoder hand over.
type proven struct{}

func nothingMore([]byte) any { return proven{} }

func scanPush(text []byte) any {
	var at [2]scan.Value
	if pushPaths.Scan(text, at[:]) != nil || at[1].Kind != scan.String {
		return nil
	}
	return proven{}
}

func scanImage(text []byte) any {
	var at [3]scan.Value
	if imagePaths.Scan(text, at[:]) != nil || at[1].Kind != scan.String {
		return nil
	}
	return proven{}
}

func decodeStd(text []byte) any      { return decoded[pushPayload](json.Unmarshal, text) }
func decodeV2(text []byte) any       { return decoded[pushPayload](unmarshalV2, text) }
func decodeImageStd(text []byte) any { return decoded[imagePayload](json.Unmarshal, text) }
func decodeImageV2(text []byte) any  { return decoded[imagePayload](unmarshalV2, text) }

func decoded[T any](unmarshal func([]byte, any) error, text []byte) any {
	p := new(T)
	if unmarshal(text, p) != nil {
		return nil
	}
	return p
}

// openHarness answers and does nothing else, which shows the cost of measuring.
func openHarness(accept func(any)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		accept(nil)
		w.WriteHeader(http.StatusAccepted)
	})
}

// openHash does what every receiver of signed calls must do, and no more: it reads
// the body into memory of a pool and hashes it once.
func openHash(accept func(any)) http.Handler {
	buffers := sync.Pool{New: func() any { return new([256 << 10]byte) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := buffers.Get().(*[256 << 10]byte)
		defer buffers.Put(buf)
		n, err := io.ReadFull(r.Body, buf[:r.ContentLength])
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_ = sha256.Sum256(buf[:n])
		accept(nil)
		w.WriteHeader(http.StatusAccepted)
	})
}
