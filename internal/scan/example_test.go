package scan_test

import (
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// A provider creates its Paths once and scans each body with them.
func Example() {
	paths := scan.New("ref", "repository.full_name", "deleted")

	body := []byte(`{
		"ref": "refs\/heads\/main",
		"deleted": false,
		"repository": {"id": 186853002, "full_name": "Codertocat/Hello-World"}
	}`)
	var found [3]scan.Value
	if err := paths.Scan(body, found[:]); err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range found {
		fmt.Printf("%v %s %s\n", v.Kind, v.Raw, v)
	}
	// Output:
	// string "refs\/heads\/main" refs/heads/main
	// string "Codertocat/Hello-World" Codertocat/Hello-World
	// bool false false
}

// The body contains "ref" and "Ref". A router that compares names exactly would read
// the first, and encoding/json would set a field with the tag ref from the second.
func ExamplePaths_Scan_ambiguous() {
	paths := scan.New("ref")

	var found [1]scan.Value
	err := paths.Scan([]byte(`{"ref":"refs/heads/topic","Ref":"refs/heads/main"}`), found[:])

	fmt.Println(errors.Is(err, scan.ErrAmbiguous), found[0].Kind)
	fmt.Println(err)
	// Output:
	// true absent
	// scan: ambiguous name: "ref" at byte 26 is repeated or in another case
}

// The error of a body that is not JSON contains the offset of the first invalid byte.
func ExamplePaths_Scan_syntax() {
	paths := scan.New("ref")

	var found [1]scan.Value
	err := paths.Scan([]byte(`{"ref":"refs/heads/main",}`), found[:])

	fmt.Println(errors.Is(err, scan.ErrSyntax))
	fmt.Println(err)
	// Output:
	// true
	// scan: not JSON: invalid at byte 25
}
