// Package stored keeps what is known of each target in a table beside the inbox: what is
// wanted, deployed and rejected. What a container or a service runs is asked of the engine.
//
// Each host needs its own database, because container names are unique per host only.
package stored
