package dockerhub_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

// fixtures returns the bodies of testdata and, where the house's shared
// fixtures lie beside the repository, those of Docker Hub, by file name.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	own, err := filepath.Glob("testdata/*.json")
	if err != nil || len(own) == 0 {
		t.Fatalf("testdata: %d files, %v", len(own), err)
	}
	files := append(own, shared(t)...)
	bodies := make(map[string][]byte, len(files))
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bodies[filepath.Base(name)] = body
	}
	return bodies
}

func shared(t testing.TB) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		files, _ := filepath.Glob(filepath.Join(dir, "shared", "fixtures", "dockerhub", "*.json"))
		if len(files) > 0 {
			t.Logf("%d shared fixtures", len(files))
			return files
		}
	}
	t.Log("no shared fixtures")
	return nil
}

// pushes are the fixtures that are pushes.
func pushes(t testing.TB) map[string][]byte {
	t.Helper()
	bodies := fixtures(t)
	for name := range bodies {
		if strings.Contains(name, "unknown") || strings.Contains(name, "callback-body") {
			delete(bodies, name)
		}
	}
	return bodies
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, ok := fixtures(t)[name]
	if !ok {
		t.Fatalf("no fixture %s", name)
	}
	return body
}

func decode(t testing.TB, body []byte) dockerhub.Push {
	t.Helper()
	e, err := webhook.Decode[dockerhub.Push](&webhook.Delivery{Type: "dockerhub.push", Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return e.Payload
}

// asMap keeps numbers as they are written.
func asMap(t testing.TB, doc []byte) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEveryFieldOfAPushComesBack(t *testing.T) {
	for name, body := range pushes(t) {
		t.Run(name, func(t *testing.T) {
			again, err := json.Marshal(decode(t, body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asMap(t, body), asMap(t, again)); diff != "" {
				t.Errorf("decoded and encoded (-sent +got):\n%s", diff)
			}
		})
	}
}

func TestOptionalFieldsKeepNullEmptyAndAbsentApart(t *testing.T) {
	for _, tc := range []struct{ name, data, repository string }{
		{"images null", `"images":null`, ``},
		{"images empty", `"images":[]`, ``},
		{"images listed", `"images":["a","b"]`, ``},
		{"tag null", `"tag":null`, ``},
		{"tag empty", `"tag":""`, ``},
		{"media type null", `"media_type":null`, ``},
		{"pushed at null", `"pushed_at":null`, ``},
		{"pushed at with an exponent", `"pushed_at":1.417566161e+09`, ``},
		{"pushed at with a fraction", `"pushed_at":1417566161.25`, ``},
		{"pushed at as text", `"pushed_at":"2016-11-29 12:25:46"`, ``},
		{"full description null", ``, `"full_description":null`},
		{"full description empty", ``, `"full_description":""`},
		{"description null", ``, `"description":null`},
		{"dockerfile empty", ``, `"dockerfile":""`},
		{"comment count as text", ``, `"comment_count":"0"`},
		{"comment count as a number", ``, `"comment_count":0`},
		{"comment count null", ``, `"comment_count":null`},
		{"nothing optional", ``, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body := withFields(tc.data, tc.repository)
			again, err := json.Marshal(decode(t, body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asMap(t, body), asMap(t, again)); diff != "" {
				t.Errorf("decoded and encoded (-sent +got):\n%s", diff)
			}
		})
	}
}

// withFields is the smallest whole push with members added.
func withFields(data, repository string) []byte {
	comma := func(s string) string {
		if s == "" {
			return ""
		}
		return "," + s
	}
	return []byte(`{"push_data":{"pusher":"ci-bot"` + comma(data) + `},"repository":{"repo_name":"northwind/scale",` +
		`"name":"scale","namespace":"northwind","owner":"northwind","repo_url":"","status":"Active","is_private":false,` +
		`"is_trusted":false,"is_official":false,"star_count":0` + comma(repository) + `}}`)
}

func TestPushedAtIsExact(t *testing.T) {
	for _, tc := range []struct {
		name, written string
		want          time.Time
	}{
		{"an integer", `1417566161`, time.Unix(1417566161, 0)},
		{"an exponent", `1.417566161e+09`, time.Unix(1417566161, 0)},
		{"a capital exponent", `1417566161E0`, time.Unix(1417566161, 0)},
		{"a fraction", `1417566161.123456789`, time.Unix(1417566161, 123456789)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := decode(t, withFields(`"pushed_at":`+tc.written, ``))
			if got := p.PushData.PushedAt; !got.Valid() || !got.Equal(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestDecodedFields(t *testing.T) {
	p := decode(t, fixture(t, "push.exponents-official.json"))
	if got := p.PushData.PushedAt.Unix(); got != 1790000001 {
		t.Errorf("pushed at %d, want 1790000001", got)
	}
	if got := p.Repository.CommentCount.Int64(); got != 12 {
		t.Errorf("comment count %d, want 12", got)
	}
	if !p.Repository.Description.IsNull() || !p.Repository.FullDescription.IsNull() {
		t.Error("descriptions are not null")
	}
	if images, ok := p.PushData.Images.Get(); !ok || len(images) != 0 {
		t.Errorf("images %v %v, want an empty list", images, ok)
	}
	if p.DHIMetadata != nil {
		t.Errorf("dhi_metadata %s, want none", p.DHIMetadata)
	}
	if len(decode(t, fixture(t, "push.hardened-image.json")).DHIMetadata) == 0 {
		t.Error("dhi_metadata was dropped")
	}
}

func TestImageAndReference(t *testing.T) {
	for _, tc := range []struct{ name, repo, tag, image, reference string }{
		{"a user's image", `"northwind/scale"`, `"tag":"1.2.3"`, "northwind/scale:1.2.3", "docker.io/northwind/scale:1.2.3"},
		{"an official image", `"nginx"`, `"tag":"1"`, "nginx:1", "docker.io/library/nginx:1"},
		{"an official image with its namespace", `"library/nginx"`, `"tag":"1"`, "library/nginx:1", "docker.io/library/nginx:1"},
		{"no tag", `"northwind/scale"`, ``, "northwind/scale", "docker.io/northwind/scale"},
		{"an empty tag", `"northwind/scale"`, `"tag":""`, "northwind/scale", "docker.io/northwind/scale"},
		{"a tag of null", `"northwind/scale"`, `"tag":null`, "northwind/scale", "docker.io/northwind/scale"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := decode(t, []byte(`{"push_data":{`+tc.tag+`},"repository":{"repo_name":`+tc.repo+`}}`))
			if got := p.Image(); got != tc.image {
				t.Errorf("image %q, want %q", got, tc.image)
			}
			if got := p.Reference(); got != tc.reference {
				t.Errorf("reference %q, want %q", got, tc.reference)
			}
		})
	}
}

func TestTagTellsVersionsFromMovingTags(t *testing.T) {
	const moving, version, pre, invalid = "moving", "version", "prerelease", "invalid"
	for tag, want := range map[dockerhub.Tag]string{
		"1.2.3": version, "v1.2.3": version, "0.0.0": version, "10.20.30": version, "2026.3.4": version,
		"1.2.3-rc.1": pre, "v1.2.3-beta": pre, "1.2.3-0": pre, "1.2.3-a-b.7": pre, "1.2.3-alpine": pre, "1.2.3--": pre,
		"1.2.3-0a": pre,
		"latest":   moving, "edge": moving, "nightly": moving, "1": moving, "1.2": moving, "v1": moving, "v1.2": moving,
		"sha-abc1234": moving, "pr-2": moving, "1.2.3.4": moving, "01.2.3": moving, "1.02.3": moving, "2024.01.15": moving,
		"1.2.3-": moving, "1.2.3-01": moving, "1.2.3-a..b": moving, "1.2.3-a_b": moving, "1.2.x": moving, "V1.2.3": moving,
		"vv1.2.3": moving, "1..3": moving, "3.13-alpine3.21": moving, "_": moving, "1.2.3_4": moving,
		"": invalid, ".1": invalid, "-1": invalid, "a b": invalid, "1.2.3+build": invalid, "a/b": invalid, "a:b": invalid,
		"\u00e9": invalid, "1.2.3\n": invalid, "$(id)": invalid,
		dockerhub.Tag(strings.Repeat("a", 128)):                  moving,
		dockerhub.Tag(strings.Repeat("a", 129)):                  invalid,
		dockerhub.Tag("1.2.3-" + strings.Repeat("a", 123)):       invalid,
		dockerhub.Tag(strings.Repeat("9", 100) + ".0.0"):         version,
		dockerhub.Tag("1.2.3-" + strings.Repeat("a.", 60) + "a"): pre,
	} {
		got := moving
		switch {
		case !tag.Valid():
			got = invalid
		case tag.IsPrerelease():
			got = pre
		case tag.IsVersion():
			got = version
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", tag, got, want)
		}
		if (tag.IsPrerelease() && !tag.IsVersion()) || (tag.IsVersion() && !tag.Valid()) {
			t.Errorf("%q: a pre-release must be a version and a version valid", tag)
		}
	}
}
