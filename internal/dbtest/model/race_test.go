//go:build race

package model

// usually is how many schedules are played on SQLite: the race detector makes
// each ten times as dear.
const usually = 300
