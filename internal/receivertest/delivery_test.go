package receivertest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const deliveryPage = "../../webhook/DELIVERY.md"

// deliveries are what programs in other languages must read.
func deliveries() []*webhook.Delivery {
	hostile := http.Header{
		"Content-Type": {"application/json"}, "X-Many": {"one", "", "two", "one"}, "X-None": {}, "x-lower": {"a"}, "X-Lower": {"b"},
		"X-Raw": {"text", "\xff\xfe\x80", "\x00", ""}, "X-Nul\x00": {"a"}, "X-\xff": {"\xc3\xa9", "\u00e9"}, "": {"empty name"},
		"__proto__": {"a"}, "constructor": {"\xff"}, "7": {"b"}, "X-Quotes": {"\"'\\ \\u0041 </script> \u2028\u2029\ttab\r\n{\"version\":2}\n"},
		"X-Wide": {"\U0001f600\u4e16\u00fc"}, "X-Large": {strings.Repeat("\"", 1<<16)}, "Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
	large := make([]byte, 1<<20)
	for i := range large {
		large[i] = byte(i * i >> 3)
	}
	at := time.UnixMicro(1767323045678901)
	return []*webhook.Delivery{
		{UID: "bare"},
		{UID: "empty body", Source: "alpha", Type: "alpha.event", ReceivedAt: time.Unix(0, 0), Header: http.Header{"A": {"b"}}},
		{UID: "newline", Body: []byte("\n"), ReceivedAt: time.UnixMicro(-1)},
		{UID: "like a line", Body: []byte("{\"version\":2}\n\n{}\r\n")},
		{UID: "large body", Body: large, Header: http.Header{"Content-Type": {"application/octet-stream"}}},
		{
			UID: "full \u2028 \U0001f600", Source: "s\u00fc\u4e16", ID: "\"id\" \\ '", Type: "<alpha> & \t\r\n\x7f\x1f", OrderingKey: "owner/name refs/heads/\u00e4",
			DedupKeys: []string{"id:1", "", "id:1", "mac:\u00e4"}, Coalesce: webhook.Coalesce{Quiet: 1500 * time.Nanosecond, Max: 200 * 365 * 24 * time.Hour},
			NotBefore: time.UnixMicro(1<<53 - 1), ReceivedAt: at, KeyLabel: "2026-01", Malformed: "no \"ref\"\n", Unsigned: "read from \u00e4",
			Header: hostile, Body: []byte("{\"nul\":\"\x00\",\"raw\":\"\xff\xc0\"}\n"),
		},
	}
}

// summary is what a program prints for a delivery. Bytes are in hex, and the body is its
// digest.
func summary(d *webhook.Delivery) map[string]any {
	header := make(map[string][]string)
	for name, values := range d.Header {
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = hex.EncodeToString([]byte(v))
		}
		header[hex.EncodeToString([]byte(name))] = list
	}
	digest := sha256.Sum256(d.Body)
	s := map[string]any{
		"version": 1, "uid": d.UID, "source": d.Source, "type": d.Type, "header": header, "body": hex.EncodeToString(digest[:]), "body_size": len(d.Body),
	}
	for member, text := range map[string]string{
		"id": d.ID, "ordering_key": d.OrderingKey, "key_label": d.KeyLabel, "malformed": d.Malformed, "unsigned": d.Unsigned,
	} {
		if text != "" {
			s[member] = text
		}
	}
	if len(d.DedupKeys) > 0 {
		s["dedup_keys"] = d.DedupKeys
	}
	for member, wait := range map[string]time.Duration{"coalesce_quiet_us": d.Coalesce.Quiet, "coalesce_max_us": d.Coalesce.Max} {
		if wait > 0 {
			s[member] = (wait + time.Microsecond - 1).Microseconds()
		}
	}
	for member, at := range map[string]time.Time{"not_before_us": d.NotBefore, "received_at_us": d.ReceivedAt} {
		if !at.IsZero() {
			s[member] = at.UnixMicro()
		}
	}
	return s
}

// refusedMessages are no deliveries of version 1.
var refusedMessages = []string{
	"", "hello", "\n", "[]\n", "null\n", "7\n", "{}\n", "{\"version\":1}\n", "\xff\xfe\n",
	`{"version":2,"uid":"u","source":"","type":"","body_size":0}` + "\n",
	`{"version":true,"uid":"u","source":"","type":"","body_size":0}` + "\n",
	`{"version":"1","uid":"u","source":"","type":"","body_size":0}` + "\n",
	`{"version":1,"uid":"u","source":"","type":"","body_size":0}`,
	`{"version":1,"uid":"u","source":"","type":"","body_size":0}` + "\nx",
	`{"version":1,"uid":"u","source":"","type":"","body_size":5}` + "\nbody",
	`{"version":1,"uid":"` + "\xff" + `","source":"","type":"","body_size":0}` + "\n",
}

// reads runs a program with the messages as files. It prints a line of JSON for each: the
// summary, or the text "refused".
func reads(t *testing.T, files map[string]string, env []string, program string, args ...string) {
	t.Helper()
	var want []any
	add := func(message []byte, result any) {
		files[fmt.Sprintf("message-%02d", len(want))] = string(message)
		want = append(want, result)
	}
	for _, d := range deliveries() {
		b, err := d.MarshalBinary()
		if err != nil {
			t.Fatalf("%s: %v", d.UID, err)
		}
		add(b, summary(d))
	}
	for _, m := range refusedMessages {
		if err := new(webhook.Delivery).UnmarshalBinary([]byte(m)); err == nil {
			t.Errorf("%q is not refused in Go", m)
		}
		add([]byte(m), "refused")
	}
	out, err := execute(t, files, env, program, args...)
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	lines := strings.Split(out, "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines for %d messages:\n%.2000s", len(lines), len(want), out)
	}
	for i, line := range lines {
		text, err := json.Marshal(want[i])
		if err != nil {
			t.Fatal(err)
		}
		if want, got := decoded(t, string(text)), decoded(t, line); !reflect.DeepEqual(want, got) {
			t.Errorf("message %d is read as\n%.3000v, want\n%.3000v", i, got, want)
		}
	}
}

// decoded returns the value of JSON, with its numbers as they are written.
func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %.200q", err, text)
	}
	return v
}

func TestPythonReadsDeliveries(t *testing.T) {
	if tools["python3"] == "" {
		return
	}
	reads(t, map[string]string{
		"delivery.py": blocksOf(t, deliveryPage, "python")[0],
		"main.py": `import glob, hashlib, json
import delivery
for name in sorted(glob.glob("message-*")):
    try:
        d = delivery.decode(open(name, "rb").read())
    except ValueError:
        print(json.dumps("refused"))
        continue
    d["header"] = {name.hex(): [v.hex() for v in values] for name, values in d["header"].items()}
    d["body"] = hashlib.sha256(d["body"]).hexdigest()
    print(json.dumps(d))`,
	}, []string{"PYTHONDONTWRITEBYTECODE=1"}, tools["python3"], "main.py")
}

func TestJavaScriptReadsDeliveries(t *testing.T) {
	if tools["node"] == "" {
		return
	}
	reads(t, map[string]string{
		"delivery.mjs": blocksOf(t, deliveryPage, "js")[0],
		"main.mjs": `import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { decode } from "./delivery.mjs";
for (const name of readdirSync(".").filter((name) => name.startsWith("message-")).sort()) {
  let d;
  try {
    d = decode(readFileSync(name));
  } catch {
    console.log(JSON.stringify("refused"));
    continue;
  }
  const header = new Map([...d.header].map(([name, values]) => [Buffer.from(name, "latin1").toString("hex"), values.map((v) => v.toString("hex"))]));
  console.log(JSON.stringify({ ...d, header: Object.fromEntries(header), body: createHash("sha256").update(d.body).digest("hex") }));
}`,
	}, nil, tools["node"], "main.mjs")
}
