// Package addrguard decides which addresses a program may call if others choose the URL,
// as the subscribers of webhooks do. Without it, a URL can name a service that only the
// program can reach: one of its own host, of its network, or the metadata of its cloud.
//
//	var guard addrguard.Guard
//	u, err := guard.URL(ctx, text)   // when the URL is registered
//	client := guard.Client()         // for all requests to registered URLs
//
// A URL is judged twice. [Guard.URL] looks up all addresses of its host, so that who
// registers it gets an error at once. [Guard.Control] judges the very address that is
// about to be connected to, since a name may have another address by then.
// [Guard.Transport] and [Guard.Client] do that for each connection. They use no proxy of
// the environment, which would hide the address, and the client follows no redirects.
//
// # What is refused
//
// The table follows the IANA registries of special addresses and of multicast addresses.
// It has the addresses of cloud hosts that are not in them. An address is judged by its
// number, in whatever form it was written.
//
//	IPv4
//	0.0.0.0/8, 127.0.0.0/8                              this host
//	10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16           private networks
//	100.64.0.0/10                                       carrier networks, and metadata of Alibaba Cloud
//	169.254.0.0/16                                      link local, and metadata of most clouds
//	168.63.129.16                                       host of Azure
//	192.0.0.0/24                                        protocols, and metadata of Oracle Cloud
//	192.31.196.0/24, 192.175.48.0/24                    AS112
//	192.52.193.0/24                                     AMT
//	192.88.99.0/24                                      6to4 relays
//	192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24       documentation
//	198.18.0.0/15                                       benchmarks
//	224.0.0.0/4                                         multicast
//	240.0.0.0/4                                         reserved, and broadcast
//
//	IPv6
//	outside 2000::/3                                    not global unicast
//	::ffff:0:0/96, 64:ff9b::/96                         as the IPv4 address that it contains
//	2001::/23                                           protocols: Teredo, ORCHID, AMT and others
//	2001:db8::/32, 3fff::/20                            documentation
//	2002::/16                                           6to4
//	2620:4f:8000::/48                                   AS112
//
// IPv6 is judged by what is allowed: all that is not global unicast today, such as ::1,
// fc00::/7, fe80::/10 and what will be assigned later, is refused. 64:ff9b::/96 is how a
// host without IPv4 calls an IPv4 address (NAT64). The prefix that a network chooses for
// NAT64 itself cannot be known: name it in [Guard.Deny].
//
// A Guard knows no public addresses of your own. If services on them trust your network,
// name those in Deny too.
//
// # URLs
//
// A URL must be absolute, with scheme https and a host of ASCII letters, digits, '-', '_'
// and '.', and no user name, password or fragment. The port is 80, 443 or at least 1024.
// A host that ends in a number but is no address, such as 127.1 or 0x7f000001, is refused,
// since some resolvers read it as one. A URL has at most 2048 bytes.
//
// # In a local network
//
// Each check has a setting to relax it, and none to switch off the Guard:
//
//	guard := addrguard.Guard{
//		Allow:        []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24")},
//		InsecureHTTP: true,
//	}
//
// Sources: https://www.iana.org/assignments/iana-ipv4-special-registry,
// https://www.iana.org/assignments/iana-ipv6-special-registry,
// https://www.iana.org/assignments/multicast-addresses,
// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16.
package addrguard
