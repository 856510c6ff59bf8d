package addrguard_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// A subscriber registers a URL. Whether it is refused for its form or for its address, the
// subscriber learns no more than that.
func Example() {
	var guard addrguard.Guard
	register := func(text string) string {
		_, err := guard.URL(context.Background(), text)
		switch {
		case errors.Is(err, addrguard.ErrURL):
			return "use https, and a public host"
		case errors.Is(err, addrguard.ErrAddress):
			return "this host cannot be called"
		case err != nil:
			return "try again later"
		}
		return "registered"
	}
	fmt.Println(register("ftp://shop.example/"))
	fmt.Println(register("https://169.254.169.254/latest/meta-data"))
	fmt.Println(register("https://93.184.215.14/hook"))
	// Output:
	// use https, and a public host
	// this host cannot be called
	// registered
}

// One client is for all requests to registered URLs.
func ExampleGuard_Client() {
	guard := &addrguard.Guard{InsecureHTTP: true}
	client := guard.Client()
	_, err := client.Post("http://127.0.0.1:6379/", "application/json", http.NoBody)
	fmt.Println(errors.Is(err, addrguard.ErrAddress))
	// Output: true
}

// In a local network name what may be called.
func ExampleGuard_Address() {
	guard := &addrguard.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24")}}
	fmt.Println(guard.Address(netip.MustParseAddr("192.168.7.1")))
	fmt.Println(guard.Address(netip.MustParseAddr("192.168.8.1")))
	fmt.Println(guard.Address(netip.MustParseAddr("::ffff:a9fe:a9fe")))
	// Output:
	// <nil>
	// addrguard: address refused: 192.168.8.1 is for private networks (192.168.0.0/16)
	// addrguard: address refused: ::ffff:169.254.169.254 is for link-local addresses (169.254.0.0/16)
}

// A program with a protocol of its own judges its connections too.
func ExampleGuard_Control() {
	var guard addrguard.Guard
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: guard.Control}
	_, err := dialer.Dial("tcp", "127.0.0.1:6379")
	fmt.Println(errors.Is(err, addrguard.ErrAddress))
	// Output: true
}
