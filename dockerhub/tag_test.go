package dockerhub_test

import (
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/dockerhub"
)

func TestTagKinds(t *testing.T) {
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
			t.Errorf("%q: a pre-release is not a version, or a version is not valid", tag)
		}
	}
}
