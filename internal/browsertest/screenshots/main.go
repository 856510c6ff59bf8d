// Screenshots takes pictures of the inspector, over a service that has received the samples of
// package webhooktest, each of them as its sender calls: light, dark, and on a phone.
//
//	go run -C internal/browsertest ./screenshots
//
// It needs Chromium. It prints the folder with the pictures.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/hookhouse/hookhouse/internal/browsertest/chrome"
)

// readme are the pictures that README.md shows, by the name of the file in testdata.
var readme = map[string]string{"list-light": "inspector-list.png", "call-dark": "inspector-call.png"}

func main() {
	to := flag.String("to", "", "the `folder` for the pictures (default: a new one for temporary files)")
	update := flag.Bool("readme", false, "also replace the pictures that README.md shows")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *to, *update); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

// run takes the pictures and writes them to a folder.
func run(ctx context.Context, to string, update bool) (err error) {
	if chrome.Path() == "" {
		return fmt.Errorf("there is no Chromium; get it: apt-get install chromium")
	}
	if to == "" {
		if to, err = os.MkdirTemp("", "screenshots"); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	pictures, err := take(ctx)
	if err != nil {
		return err
	}
	for name, picture := range pictures {
		if err := os.WriteFile(filepath.Join(to, name+".png"), picture, 0o644); err != nil {
			return err
		}
		if shown := readme[name]; update && shown != "" {
			if err := os.WriteFile(filepath.Join("testdata", shown), picture, 0o644); err != nil {
				return err
			}
		}
	}
	fmt.Println(to)
	return nil
}
