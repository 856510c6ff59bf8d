package inspect_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

// An inspector beside the receivers of a service. Its JSON says how many deliveries wait.
func ExampleNew() {
	var inbox webhook.MemInbox
	inspector, err := inspect.New(&inbox, inspect.BasicAuth(map[string]webhook.Secret{"ops": webhook.NewSecret("a password")}))
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/debug/hooks/", inspector)
	server := httptest.NewServer(mux)
	defer server.Close()

	request, err := http.NewRequest("GET", server.URL+"/debug/hooks/api/overview", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := inbox.Put(request.Context(), webhook.NewDelivery("shop", "shop.order", "order 7", []byte(`{"id":7}`))); err != nil {
		fmt.Println(err)
		return
	}
	request.SetBasicAuth("ops", "a password")
	response, err := server.Client().Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, regexp.MustCompile(`"count":\{.*?\}\}`).FindString(string(text)), err)
	// Output: 200 "count":{"waiting":{"n":1}} <nil>
}
