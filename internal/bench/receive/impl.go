// Package receive measures what a call costs until it is verified and decoded.
package receive

import (
	"net/http"
	"slices"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// A Kind is the role of an implementation in a table.
type Kind string

const (
	Harness Kind = "harness" // the cost of measuring
	Floor   Kind = "floor"   // written by hand for one body: nothing is faster
	Ours    Kind = "ours"
	Peer    Kind = "peer"
)

// An Impl is one way to receive the calls of a sender.
type Impl struct {
	Name string
	Kind Kind
	from sender.Sender
	// Open returns a new handler, mounted as the documentation of the implementation
	// shows it. The handler calls accept once for each call that it takes for genuine,
	// with what a user gets: a value of the implementation's own type or a pointer to
	// one.
	Open func(accept func(any)) http.Handler
	// against is the name of the floor that does the same work. It is empty for
	// floors.
	against string
	// unproven means that the implementation takes any call, signed or not.
	unproven bool
}

// Find returns the implementation for pushes that has that name, or the zero Impl.
func Find(name string) Impl {
	return env.Find(pushImpls, func(c Impl) bool { return c.Name == name })
}

func (c Impl) impl() Impl { return c }

// A measured is an implementation with its figures.
type measured interface {
	comparable
	impl() Impl
	costs() []float64
}

// find returns the one of that name, or nil.
func find[T measured](all []T, name string) T {
	return env.Find(all, func(m T) bool { return m.impl().Name == name })
}

// bestPeer returns the peer with the lowest median of its costs.
func bestPeer[T measured](all []T) (best T) {
	var none T
	for _, m := range all {
		if m.impl().Kind == Peer && (best == none || env.Median(m.costs()) < env.Median(best.costs())) {
			best = m
		}
	}
	return best
}

// The names by which rows and aims refer to implementations.
const (
	HarnessOnly = "harness alone"
	bareHash    = "read, one bare SHA-256"

	floorRaw    = "read, MAC, path scan"
	FloorVerify = "read, MAC"
	floorStd    = "read, MAC, encoding/json"
	floorV2     = "read, MAC, v2"

	oursRaw = "hookhouse raw"
	oursStd = "hookhouse typed, encoding/json"
	oursV2  = "hookhouse typed, v2"

	Playground   = "go-playground/webhooks Parse"
	GoGitHub     = "go-github ValidatePayload, ParseWebHook"
	peerStandard = "standard-webhooks Verify, encoding/json"

	hubFloorRaw   = "read, path scan"
	hubFloorStd   = "read, encoding/json"
	hubFloorV2    = "read, v2"
	peerHubParser = "go-playground/webhooks docker Parse"
)

// pushImpls receive GitHub's push.
var pushImpls = []Impl{
	{Name: HarnessOnly, Kind: Harness, from: sender.GitHub, Open: openHarness, unproven: true},
	{Name: bareHash, Kind: Harness, from: sender.GitHub, Open: openHash, unproven: true},
	{Name: FloorVerify, Kind: Floor, from: sender.GitHub, Open: floorPush(nothingMore)},
	{Name: floorRaw, Kind: Floor, from: sender.GitHub, Open: floorPush(scanPush)},
	{Name: oursRaw, Kind: Ours, from: sender.GitHub, Open: openRaw(PushSource), against: floorRaw},
	{Name: floorStd, Kind: Floor, from: sender.GitHub, Open: floorPush(decodeStd)},
	{Name: oursStd, Kind: Ours, from: sender.GitHub, Open: openTyped[pushPayload](PushSource, nil), against: floorStd},
	{Name: floorV2, Kind: Floor, from: sender.GitHub, Open: floorPush(decodeV2)},
	{Name: oursV2, Kind: Ours, from: sender.GitHub, Open: openTyped[pushPayload](PushSource, unmarshalV2), against: floorV2},
	{Name: Playground, Kind: Peer, from: sender.GitHub, Open: openPlayground, against: floorStd},
	{Name: GoGitHub, Kind: Peer, from: sender.GitHub, Open: openGoGitHub, against: floorStd},
	{Name: peerStandard, Kind: Peer, from: sender.StandardWebhook, Open: openStandard, against: floorStd},
}

// imageImpls receive Docker Hub's notice, which nobody can verify: ours requires
// the token in the path, the peer takes any call.
var imageImpls = []Impl{
	{Name: hubFloorRaw, Kind: Floor, from: sender.DockerHub, Open: floorImage(scanImage), unproven: true},
	{Name: oursRaw, Kind: Ours, from: sender.DockerHub, Open: openRaw(imageSource), against: hubFloorRaw},
	{Name: hubFloorStd, Kind: Floor, from: sender.DockerHub, Open: floorImage(decodeImageStd), unproven: true},
	{Name: oursStd, Kind: Ours, from: sender.DockerHub, Open: openTyped[imagePayload](imageSource, nil), against: hubFloorStd},
	{Name: hubFloorV2, Kind: Floor, from: sender.DockerHub, Open: floorImage(decodeImageV2), unproven: true},
	{Name: oursV2, Kind: Ours, from: sender.DockerHub, Open: openTyped[imagePayload](imageSource, unmarshalV2), against: hubFloorV2},
	{Name: peerHubParser, Kind: Peer, from: sender.DockerHub, Open: openPlaygroundDocker, against: hubFloorStd, unproven: true},
}

// A race is a body and the implementations that receive it.
type race struct {
	body  sender.Body
	impls []Impl
}

// races are everything that is measured in one process.
func races() []race {
	var all []race
	for _, b := range sender.Pushes {
		all = append(all, race{b, pushImpls})
	}
	return append(all, race{sender.Image, imageImpls})
}

// typed reports whether the implementation hands over a decoded payload.
func (c Impl) typed() bool {
	return !slices.Contains([]string{oursRaw, floorRaw, FloorVerify, hubFloorRaw, HarnessOnly, bareHash}, c.Name)
}
