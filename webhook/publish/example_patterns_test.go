package publish_test

import (
	"fmt"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// An endpoint with any of these in its Events receives the event.
func ExamplePatterns() {
	for _, pattern := range publish.Patterns("invoice.line.added") {
		fmt.Println(pattern)
	}
	// Output:
	// invoice.line.added
	// invoice.line.*
	// invoice.*
	// *
}
