package webhook

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The page is all that a program in another language has.
func TestThePageHasEachMemberOfTheLine(t *testing.T) {
	text, err := os.ReadFile("DELIVERY.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, written []string
	for row := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(row, "| `"); ok {
			documented = append(documented, name[:strings.IndexByte(name, '`')])
		}
	}
	for f := range reflect.TypeFor[deliveryLine]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		written = append(written, name)
	}
	if !slices.Equal(documented, written) {
		t.Errorf("the page has the members %q, and the line has %q", documented, written)
	}
	for _, limit := range []string{fmt.Sprintf("%d 194 304 bytes", maxDeliveryLine>>20), fmt.Sprintf("Version %d has these members", deliveryVersion)} {
		if !strings.Contains(string(text), limit) {
			t.Errorf("the page does not contain %q", limit)
		}
	}
}
