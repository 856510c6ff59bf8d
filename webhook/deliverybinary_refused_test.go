package webhook_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestWhatIsNotVersion1IsRefused(t *testing.T) {
	for _, test := range []struct{ encoded, says string }{
		// Foreign messages.
		{"", "it has no line of JSON within 4194304 bytes"},
		{"hello", "it has no line of JSON"},
		{"{}", "it has no line of JSON"},
		{"\n", "its first line: EOF"},
		{"hello\n", "its first line: invalid character 'h'"},
		{"{}\n", "its first line has no version"},
		{"null\n", "its first line has no version"},
		{"[]\n", "its first line: json: cannot unmarshal array"},
		{`{"action":"opened"}` + "\n", `its first line: json: unknown field "action"`},
		{`{"` + strings.Repeat("x", 1000) + `":1}` + "\n", `its first line: json: unknown field "xxx`},
		{"\x00\x01\x02\n", "invalid character"},
		// Other versions.
		{`{"version":2,"uid":"u","source":"","type":"","body_size":0}` + "\n", "its version is 2; this program reads version 1"},
		{`{"version":2,"uid":7,"new":{}}` + "\nbody", "its version is 2; this program reads version 1"},
		{`{"version":0,"uid":"u","body_size":0}` + "\n", "its version is 0;"},
		{`{"version":-1,"uid":"u","body_size":0}` + "\n", "its version is -1;"},
		{`{"version":"1","uid":"u","body_size":0}` + "\n", `its version is "1";`},
		{`{"version":1.5,"uid":"u","body_size":0}` + "\n", `its version is 1.5;`},
		{`{"version":` + strings.Repeat("9", 1000) + `,"uid":"u","body_size":0}` + "\n", `its version is 99999999999999999999;`},
		{`{"version":null,"uid":"u","body_size":0}` + "\n", "its first line has no version"},
		// Broken ones.
		{`{"version":1,"uid":"u","source":"","type":"","body_size":0,"new":1}` + "\n", `unknown field "new"`},
		{`{"version":1,"uid":"u","source":"","type":"","body_size":0} {}` + "\n", "there is more than one value"},
		{`{"version":1,"uid":"u","source":"","type":"","body_size":0}x` + "\n", "there is more than one value"},
		{`{"version":1,"uid":"u","source":"","type":""}` + "\n", "its first line has no body_size"},
		{`{"version":1,"uid":"u","body_size":5}` + "\nbody", `the encoded delivery "u" has a body of 4 bytes, and its line says 5`},
		{`{"version":1,"uid":"u","body_size":3}` + "\nbody", "a body of 4 bytes, and its line says 3"},
		{`{"version":1,"uid":"u","body_size":-1}` + "\n", "a body of 0 bytes, and its line says -1"},
		{`{"version":1,"uid":"u","body_size":1e0}` + "\nx", "its first line: json: cannot unmarshal number"},
		{`{"version":1,"body_size":0}` + "\n", "it has no UID"},
		{`{"version":1,"uid":"\u0000","body_size":0}` + "\n", "UID is not UTF-8 without NUL"},
		{`{"version":1,"uid":"` + "\xff" + `","body_size":0}` + "\n", "its first line is not UTF-8"},
		{`{"version":1,"uid":"u","type":"` + strings.Repeat("x", 256) + `","body_size":0}` + "\n", "Type of 256 bytes, over 255"},
		{`{"version":1,"uid":"u","malformed":"` + strings.Repeat("x", 4097) + `","body_size":0}` + "\n", "Malformed of 4097 bytes, over 4096"},
		{`{"version":1,"uid":"u","not_before_us":-1,"body_size":0}` + "\n", "the not_before_us of -1 is negative"},
		{`{"version":1,"uid":"u","not_before_us":9223372036854775808,"body_size":0}` + "\n", "its first line: json: cannot unmarshal number"},
		{`{"version":1,"uid":"u","coalesce_quiet_us":-1,"body_size":0}` + "\n", "the coalesce_quiet_us of -1 is negative"},
		{`{"version":1,"uid":"u","coalesce_max_us":9223372036854777,"body_size":0}` + "\n", "the coalesce_max_us of 9223372036854777 is over 9223372036854776"},
		{`{"version":1,"uid":"u","header":{"A":"b"},"body_size":0}` + "\n", "its first line: json: cannot unmarshal string"},
		{`{"version":1,"uid":"u","header_base64":[["?"]],"body_size":0}` + "\n", "its first line: illegal base64 data"},
		{`{"version":1,"uid":"u","header_base64":[[]],"body_size":0}` + "\n", "an element of header_base64 has no name"},
		{`{"version":1,"uid":"u","header":{"A":["b"]},"header_base64":[["QQ==","/w=="]],"body_size":0}` + "\n", `the header "A" is there twice`},
		{`{"version":1,"uid":"u","header_base64":[["/w=="],["/w=="]],"body_size":0}` + "\n", `the header "\xff" is there twice`},
		{`{"version":1,"uid":"u","body_size":0` + strings.Repeat(" ", 4<<20) + "}\n", "it has no line of JSON within 4194304 bytes"},
	} {
		got := *encodable()
		err := got.UnmarshalBinary([]byte(test.encoded))
		if !errors.Is(err, webhook.ErrMalformed) || !webhook.IsPermanent(err) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%.80q: %v, want an error that says %q", test.encoded, err, test.says)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("%.80q: the error has %d bytes", test.encoded, len(err.Error()))
		}
		if diff := cmp.Diff(encodable(), &got); diff != "" {
			t.Errorf("%.80q: the delivery has changed:\n%s", test.encoded, diff)
		}
	}
}

// Each beginning of an encoded delivery is refused, and so is one with a byte more.
func TestACutOffDeliveryIsRefused(t *testing.T) {
	for n := range encodedV1 {
		if err := new(webhook.Delivery).UnmarshalBinary([]byte(encodedV1[:n])); !errors.Is(err, webhook.ErrMalformed) {
			t.Errorf("the first %d bytes of %d: %v", n, len(encodedV1), err)
		}
	}
	if err := new(webhook.Delivery).UnmarshalBinary([]byte(encodedV1 + "x")); !errors.Is(err, webhook.ErrMalformed) {
		t.Errorf("a byte more: %v", err)
	}
}
