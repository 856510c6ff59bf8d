// Package broker starts RabbitMQ nodes for the tests: one node or a cluster, in a
// temporary folder, on free ports of the loopback address, and not as root. Each cluster has
// its own epmd, the program by which Erlang nodes find each other. All processes end with the
// process that started them.
//
// The scripts are searched where Debian and Homebrew install them, then in the PATH.
package broker
