//go:build race

package model

// defaultSchedules is the number of schedules on SQLite. Under the race detector
// each takes ten times as long.
const defaultSchedules = 300
