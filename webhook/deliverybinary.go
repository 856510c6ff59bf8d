package webhook

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

var (
	_ encoding.BinaryMarshaler   = (*Delivery)(nil)
	_ encoding.BinaryUnmarshaler = (*Delivery)(nil)
)

const (
	// deliveryVersion is the version of the encoding that is written and read.
	deliveryVersion = 1
	// maxDeliveryLine is the maximum length in bytes of the first line, with its newline. The
	// header of each request that net/http accepts by default, 1 MiB, fits.
	maxDeliveryLine = 4 << 20
)

// MarshalBinary returns the delivery as bytes, to send it through a queue or to keep it
// in a file: one line of JSON, and then exactly the bytes of the body.
// [Delivery.UnmarshalBinary] reads them, and so does a program in another language: page
// DELIVERY.md in the folder of this package has each member of the JSON with its meaning,
// and programs in Python and JavaScript.
//
//   - Everything that an [Inbox] stores is encoded, also headers that are not UTF-8. Times
//     and durations are in microseconds: NotBefore and Coalesce are rounded up, ReceivedAt is
//     rounded down.
//   - Equal deliveries have equal encodings. The version, which is 1, is the first member. A
//     release that needs another member writes another version, so that no reader loses one.
//   - MarshalBinary refuses what an inbox of package sqlinbox refuses, but for a large body:
//     an empty UID, a name over 255 bytes, a Malformed or Unsigned over 4 KiB, text that is
//     not UTF-8 or has a NUL, and a NotBefore before 1970 or after the year 294246. It refuses
//     headers and keys of more than 4 MiB of JSON. The error wraps [ErrMalformed], since no
//     later attempt succeeds.
//
// The result shares no memory with d, and MarshalBinary does not change d.
func (d *Delivery) MarshalBinary() ([]byte, error) {
	line, err := newDeliveryLine(d)
	if err != nil {
		return nil, fmt.Errorf("%w: delivery %.64q cannot be encoded: %w", ErrMalformed, d.UID, err)
	}
	var b bytes.Buffer
	b.Grow(1<<10 + len(d.Body))
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(line); err != nil { // which ends the line
		return nil, fmt.Errorf("%w: delivery %.64q cannot be encoded: %w", ErrMalformed, d.UID, err)
	}
	if b.Len() > maxDeliveryLine {
		return nil, fmt.Errorf("%w: delivery %.64q cannot be encoded: its headers and keys have %d bytes as JSON, over %d",
			ErrMalformed, d.UID, b.Len(), maxDeliveryLine)
	}
	b.Write(d.Body)
	return b.Bytes(), nil
}

// UnmarshalBinary sets d to the delivery that [Delivery.MarshalBinary] encoded. It
// replaces all fields. Times are in the local time zone.
//
// It refuses another version, a member that version 1 does not have, a body of another
// size than the line says, and a delivery that MarshalBinary refuses. The error then wraps
// [ErrMalformed], and d is unchanged.
//
// It copies what it keeps of b. What it allocates is bounded by a multiple of the line,
// which has at most 4 MiB, and by the size of the body.
func (d *Delivery) UnmarshalBinary(b []byte) error {
	end := bytes.IndexByte(b[:min(len(b), maxDeliveryLine)], '\n')
	if end < 0 {
		return fmt.Errorf("%w: not an encoded delivery: it has no line of JSON within %d bytes", ErrMalformed, maxDeliveryLine)
	}
	line, err := readDeliveryLine(b[:end])
	if err != nil {
		return fmt.Errorf("%w: not an encoded delivery: %w", ErrMalformed, err)
	}
	body := b[end+1:]
	if *line.BodySize != int64(len(body)) {
		return fmt.Errorf("%w: the encoded delivery %.64q has a body of %d bytes, and its line says %d", ErrMalformed, line.UID, len(body), *line.BodySize)
	}
	read, err := line.delivery()
	if err != nil {
		return fmt.Errorf("%w: the encoded delivery %.64q is refused: %w", ErrMalformed, line.UID, err)
	}
	read.Body = slices.Clone(body)
	*d = *read
	return nil
}

// readDeliveryLine decodes the line. Its BodySize is not nil.
func readDeliveryLine(text []byte) (*deliveryLine, error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("its first line is not UTF-8")
	}
	var line deliveryLine
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&line)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = fmt.Errorf("there is more than one value")
		}
	}
	if err != nil {
		// Another version may have other members.
		var other struct {
			Version json.RawMessage `json:"version"`
		}
		if json.Unmarshal(text, &other) == nil && other.Version != nil && string(other.Version) != fmt.Sprint(deliveryVersion) {
			return nil, unknownVersion(string(other.Version))
		}
		return nil, fmt.Errorf("its first line: %.200s", err)
	}
	switch {
	case line.Version == nil:
		return nil, fmt.Errorf("its first line has no version")
	case *line.Version != deliveryVersion:
		return nil, unknownVersion(fmt.Sprint(*line.Version))
	case line.BodySize == nil:
		return nil, fmt.Errorf("its first line has no body_size")
	}
	return &line, nil
}

func unknownVersion(version string) error {
	return fmt.Errorf("its version is %.20s; this program reads version %d", version, deliveryVersion)
}
