//go:build !race

package model

// defaultSchedules is the number of schedules on SQLite.
const defaultSchedules = 2000
