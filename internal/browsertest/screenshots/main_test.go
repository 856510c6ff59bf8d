package main

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/hookhouse/hookhouse/internal/browsertest/chrome"
)

// maxPicture is how many bytes a picture of README.md may have.
const maxPicture = 150 << 10

func TestMain(m *testing.M) {
	if chrome.Path() == "" {
		fmt.Println(chrome.Missing)
		if os.Getenv("CI") == "true" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestEachPageIsTakenInEachLook(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := run(t.Context(), dir, false); err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"list", "delivery", "question", "call"} {
		for _, l := range looks {
			file := filepath.Join(dir, page+"-"+l.name+".png")
			picture := decoded(t, file)
			if want := int(float64(l.width) * l.scale); picture.Width != want {
				t.Errorf("%s is %d wide, want %d", file, picture.Width, want)
			}
		}
	}
}

func TestPicturesOfTheReadmeAreSmall(t *testing.T) {
	for _, name := range readme {
		decoded(t, filepath.Join("..", "testdata", name))
	}
}

type size struct{ Width, Height int }

// decoded returns the size of a picture, which must be a small file.
func decoded(t *testing.T, file string) size {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) >= maxPicture {
		t.Errorf("%s has %d bytes, want less than %d", file, len(text), maxPicture)
	}
	config, err := png.DecodeConfig(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return size{config.Width, config.Height}
}
