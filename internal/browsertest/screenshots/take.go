package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/hookhouse/hookhouse/internal/browsertest/chrome"
)

// A look is how a page is shown.
type look struct {
	name, scheme  string
	width, height int64
	scale         float64
	isPhone       bool
}

var looks = []look{
	{"light", "light", 1000, 720, 1, false},
	{"dark", "dark", 1000, 720, 1, false},
	{"phone", "light", 360, 740, 2, true},
}

// take takes a picture of each page in each look, and returns them as PNG files.
func take(ctx context.Context) (pictures map[string][]byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	stage, err := newStage(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := stage.Close(); err == nil {
			err = e
		}
	}()
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	allocator, stop := chromedp.NewExecAllocator(ctx, chrome.Options(chrome.Path(), dir)...)
	defer stop()
	tab, _ := chromedp.NewContext(allocator)
	defer func() { _ = chromedp.Cancel(tab) }() // it has done what it should

	pictures = make(map[string][]byte)
	for _, l := range looks {
		for name, at := range stage.pages {
			if err := chromedp.Do(tab, l.use(), chromedp.Navigate(stage.URL+at)); err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
			shot, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
			if err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
			if pictures[name+"-"+l.name], err = shrink(shot); err != nil {
				return nil, err
			}
		}
	}
	return pictures, nil
}

// use makes the browser show pages in a look.
func (l look) use() chromedp.Action[chromedp.Void] {
	size := []chromedp.EmulateViewportOption{chromedp.EmulateScale(l.scale)}
	if l.isPhone {
		size = append(size, chromedp.EmulateMobile)
	}
	scheme := chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}},
		})
		return err
	})
	return chromedp.Steps(chromedp.EmulateViewport(l.width, l.height, size...), scheme)
}

// shrink returns a picture with the 256 colors that it has most often.
func shrink(shot []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	area := full.Bounds()
	shown := image.NewRGBA(area)
	draw.Draw(shown, area, full, area.Min, draw.Src)
	var (
		colors []color.RGBA
		often  []int                      // by the index of the color
		known  = make(map[color.RGBA]int) // the index of a color
		pixels = make([]int, 0, area.Dx()*area.Dy())
		last   = -1
	)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if c := shown.RGBAAt(x, y); last < 0 || c != colors[last] {
				i, ok := known[c]
				if !ok {
					i = len(colors)
					known[c], colors, often = i, append(colors, c), append(often, 0)
				}
				last = i
			}
			often[last]++
			pixels = append(pixels, last)
		}
	}
	order := slices.SortedFunc(maps.Values(known), func(a, b int) int { return often[b] - often[a] })
	var palette color.Palette
	for _, i := range order[:min(len(order), 256)] {
		palette = append(palette, colors[i])
	}
	nearest := make([]uint8, len(colors))
	for i, c := range colors {
		nearest[i] = uint8(palette.Index(c))
	}
	small := image.NewPaletted(area, palette)
	for i, c := range pixels {
		small.Pix[i] = nearest[c]
	}
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&file, small)
	return file.Bytes(), err
}
