package dockerhub_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPushRoundTripKeepsEveryField(t *testing.T) {
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

func TestPushRoundTripDistinguishesNullEmptyAndAbsent(t *testing.T) {
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
		{"no optional fields", ``, ``},
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
