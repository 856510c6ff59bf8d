//go:build !linux

package main

import "fmt"

func stopEngineRig() {
	fmt.Println("left out: the tests on a Docker Engine; to include them, run the tests on Linux as root")
}
