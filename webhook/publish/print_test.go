package publish_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestAnEndpointIsPrintedWithoutSecrets(t *testing.T) {
	e := storable()
	texts := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		texts[verb] = fmt.Sprintf(verb, e)
		texts[verb+" of a value"] = fmt.Sprintf(verb, *e)
	}
	var log bytes.Buffer
	for name, h := range map[string]slog.Handler{"text": slog.NewTextHandler(&log, nil), "json": slog.NewJSONHandler(&log, nil)} {
		log.Reset()
		slog.New(h).Info("it", "endpoint", e, "value", *e)
		texts["slog "+name] = log.String()
	}
	for how, text := range texts {
		if strings.Contains(text, "very-secret") {
			t.Errorf("%s prints %s", how, text)
		}
		for _, part := range []string{"ep_1", "acme", "orders", "https://example.com", "active"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s prints %s, without %s", how, text, part)
			}
		}
	}
}

func TestJSONOfAnEndpointHasNoSecretOfIt(t *testing.T) {
	text, err := json.Marshal(storable().Secrets)
	if err != nil || string(text) != `["REDACTED"]` {
		t.Errorf("its secrets are %s, %v", text, err)
	}
}
