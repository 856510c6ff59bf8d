package storetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/storetest"
)

func TestMemStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) publish.Store { return new(publish.MemStore) })
}

// This prints the laws about the last attempt of an endpoint.
func ExampleLaws() {
	for _, law := range storetest.Laws() {
		if strings.Contains(law, "last attempt") {
			fmt.Println(law)
		}
	}
	// Output:
	// All returns endpoints with their last attempts
	// the last attempt of an endpoint is kept
	// the last attempt of a deleted endpoint is swept
}
