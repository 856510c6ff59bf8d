package main

import "net/http"

// A kind says what a row of the table stands for.
type kind string

const (
	harness kind = "harness"
	floor   kind = "floor" // hand-written for this one body: what cannot be beaten
	ours    kind = "ours"
	peer    kind = "peer"
)

// A contender is one way to receive a sender's calls.
type contender struct {
	name string
	kind kind
	from sender
	// open returns a fresh handler, as the contender's documentation mounts it. It
	// calls seen once for each call that it took for genuine, with what a user gets:
	// a pointer to or the value of the contender's own type.
	open func(seen func(any)) http.Handler
	// against is the floor that does the same work; empty for floors.
	against string
	// unproven says that the contender takes any call, signed or not.
	unproven bool
}

// The names by which rows refer to each other.
const (
	harnessOnly = "harness alone"
	bareHash    = "read, one bare SHA-256"

	floorRaw    = "read, MAC, path scan"
	floorVerify = "read, MAC"
	floorStd    = "read, MAC, encoding/json"
	floorV2     = "read, MAC, v2"

	oursRaw = "hookhouse raw"
	oursStd = "hookhouse typed, encoding/json"
	oursV2  = "hookhouse typed, v2"

	peerPlayground = "go-playground/webhooks Parse"
	peerGoGitHub   = "go-github ValidatePayload, ParseWebHook"
	peerStandard   = "standard-webhooks Verify, encoding/json"

	hubFloorRaw   = "read, path scan"
	hubFloorStd   = "read, encoding/json"
	hubFloorV2    = "read, v2"
	peerHubParser = "go-playground/webhooks docker Parse"
)

// pushContenders receive GitHub's push.
var pushContenders = []contender{
	{name: harnessOnly, kind: harness, from: gitHub, open: openHarness, unproven: true},
	{name: bareHash, kind: harness, from: gitHub, open: openHash, unproven: true},
	{name: floorVerify, kind: floor, from: gitHub, open: floorPush(nothingMore)},
	{name: floorRaw, kind: floor, from: gitHub, open: floorPush(scanPush)},
	{name: oursRaw, kind: ours, from: gitHub, open: openRaw(pushSource), against: floorRaw},
	{name: floorStd, kind: floor, from: gitHub, open: floorPush(decodeStd)},
	{name: oursStd, kind: ours, from: gitHub, open: openTyped[pushPayload](pushSource, nil), against: floorStd},
	{name: floorV2, kind: floor, from: gitHub, open: floorPush(decodeV2)},
	{name: oursV2, kind: ours, from: gitHub, open: openTyped[pushPayload](pushSource, unmarshalV2), against: floorV2},
	{name: peerPlayground, kind: peer, from: gitHub, open: openPlayground, against: floorStd},
	{name: peerGoGitHub, kind: peer, from: gitHub, open: openGoGitHub, against: floorStd},
	{name: peerStandard, kind: peer, from: standardWebhook, open: openStandard, against: floorStd},
}

// imageContenders receive Docker Hub's notice, which nobody can verify: ours
// asks for the token in the path, the peer takes any call.
var imageContenders = []contender{
	{name: hubFloorRaw, kind: floor, from: dockerHub, open: floorImage(scanImage), unproven: true},
	{name: oursRaw, kind: ours, from: dockerHub, open: openRaw(imageSource), against: hubFloorRaw},
	{name: hubFloorStd, kind: floor, from: dockerHub, open: floorImage(decodeImageStd), unproven: true},
	{name: oursStd, kind: ours, from: dockerHub, open: openTyped[imagePayload](imageSource, nil), against: hubFloorStd},
	{name: hubFloorV2, kind: floor, from: dockerHub, open: floorImage(decodeImageV2), unproven: true},
	{name: oursV2, kind: ours, from: dockerHub, open: openTyped[imagePayload](imageSource, unmarshalV2), against: hubFloorV2},
	{name: peerHubParser, kind: peer, from: dockerHub, open: openPlaygroundDocker, against: hubFloorStd, unproven: true},
}

// A race is one body and those who receive it.
type race struct {
	body       body
	contenders []contender
}

// races are all that is measured in process.
func races() []race {
	var all []race
	for _, b := range pushBodies {
		all = append(all, race{b, pushContenders})
	}
	return append(all, race{imageBody, imageContenders})
}

// typed reports whether the contender hands over a decoded payload; raw ones
// hand over the bytes, and the harness nothing of worth.
func (c contender) typed() bool {
	switch c.name {
	case oursRaw, floorRaw, floorVerify, hubFloorRaw, harnessOnly, bareHash:
		return false
	}
	return true
}
