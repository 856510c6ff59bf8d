package sqlstore

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func key(label, secret string) webhook.Key {
	return webhook.Key{Label: label, Secret: webhook.NewSecret(secret)}
}

var (
	oldKey = key("old", "an old key of the thirty-two bytes that are needed")
	newKey = key("new", "a new key of the thirty-two bytes that are needed")
)

func sealerOf(t *testing.T, keys ...webhook.Key) *sealer {
	t.Helper()
	s, err := newSealer(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheFirstKeySealsAndAllOpen(t *testing.T) {
	before, during := sealerOf(t, oldKey), sealerOf(t, newKey, oldKey)
	text := []byte("very-secret")
	for _, s := range []*sealer{before, during} {
		sealed := s.seal("ep", text)
		if bytes.Contains(sealed, text) || bytes.Equal(sealed, s.seal("ep", text)) {
			t.Errorf("sealed with %s: %q", s.label(), sealed)
		}
		got, err := during.open("ep", s.label(), sealed)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("what %s has sealed opens as %q, %v", s.label(), got, err)
		}
	}
	if during.label() != "new" {
		t.Errorf("the key with the label %s seals", during.label())
	}
}

func TestWithoutKeysSecretsAreClearText(t *testing.T) {
	s := sealerOf(t)
	got, err := s.open("ep", s.label(), s.seal("ep", []byte("text")))
	if s.label() != "" || err != nil || string(got) != "text" {
		t.Errorf("label %q, %q, %v", s.label(), got, err)
	}
}

func TestWhatIsSealedOpensOnlyWithItsKeyItsLabelAndItsEndpoint(t *testing.T) {
	sealed := sealerOf(t, oldKey).seal("ep", []byte("very-secret"))
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	for name, tt := range map[string]struct {
		keys      []webhook.Key
		id, label string
		sealed    []byte
	}{
		"an unknown label":               {[]webhook.Key{newKey}, "ep", "old", sealed},
		"another key with its label":     {[]webhook.Key{key("old", strings.Repeat("x", 32))}, "ep", "old", sealed},
		"its key with another label":     {[]webhook.Key{{Label: "other", Secret: oldKey.Secret}}, "ep", "other", sealed},
		"another endpoint":               {[]webhook.Key{oldKey}, "other", "old", sealed},
		"a bit that was changed":         {[]webhook.Key{oldKey}, "ep", "old", damaged},
		"less than a nonce":              {[]webhook.Key{oldKey}, "ep", "old", sealed[:5]},
		"nothing":                        {[]webhook.Key{oldKey}, "ep", "old", nil},
		"clear text that claims a label": {[]webhook.Key{oldKey}, "ep", "old", []byte(`{"url":"https://example.com/very-secret"}`)},
	} {
		text, err := sealerOf(t, tt.keys...).open(tt.id, tt.label, tt.sealed)
		if !errors.Is(err, ErrSealed) || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%s: %q, %v, want ErrSealed", name, text, err)
		}
	}
}

func TestKeysThatCannotSealAreRefused(t *testing.T) {
	for name, keys := range map[string][]webhook.Key{
		"label":            {key("", strings.Repeat("k", 32))},
		"bytes of UTF-8":   {key("\xff", strings.Repeat("k", 32))},
		"without NUL":      {key("a\x00b", strings.Repeat("k", 32))},
		"31 bytes":         {oldKey, key("short", strings.Repeat("k", 31))},
		"of an earlier":    {oldKey, key("old", strings.Repeat("k", 32))},
		"1 to 255 bytes":   {key(strings.Repeat("l", 256), strings.Repeat("k", 32))},
		"secret has 0 byt": {{Label: "empty"}},
	} {
		if _, err := newSealer(keys); !errors.Is(err, ErrSealKeys) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "kkkk") {
			t.Errorf("newSealer returned %v, want ErrSealKeys with %q", err, name)
		}
	}
}
