//go:build !race

package model

// usually is how many schedules are played on SQLite.
const usually = 2000
