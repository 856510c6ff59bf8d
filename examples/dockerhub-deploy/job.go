package main

import (
	"strings"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/stored"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
)

// A job is one deployment of an image to a target.
type job struct {
	rule.Release
	rule       rule.Rule
	repository string // name for docker pull
	digest     string // of the tag, from the registry
	identity   string // see target.Target
	state      stored.State
}

// image returns the name of the image with its tag. pinnedImage adds the digest;
// it is the name that is pulled.
func (j job) image() string       { return j.repository + ":" + string(j.Tag) }
func (j job) pinnedImage() string { return j.image() + "@" + j.digest }

// older reports whether the job's version is older than the running one.
func (j job) older(running string) bool {
	return j.rule.IsRange() && j.rule.Older(j.Release, rule.Release{Tag: dockerhub.Tag(running)})
}

func (j job) target() target.Image {
	previous, _, _ := strings.Cut(j.state.Identity, "+")
	return target.Image{
		Name: j.pinnedImage(), Digest: j.digest, Tag: string(j.Tag), Rule: j.rule.Text, Identity: j.identity, Deployed: j.state.Identity, Older: j.older,
		Env: []string{
			"HOOKHOUSE_TARGET=" + j.rule.Name, "HOOKHOUSE_RULE=" + j.rule.Text, "HOOKHOUSE_REPOSITORY=" + j.repository,
			"HOOKHOUSE_TAG=" + string(j.Tag), "HOOKHOUSE_DIGEST=" + j.digest, "HOOKHOUSE_IMAGE=" + j.pinnedImage(),
			"HOOKHOUSE_PREVIOUS_TAG=" + string(j.state.Deployed.Tag), "HOOKHOUSE_PREVIOUS_DIGEST=" + previous,
		},
	}
}
