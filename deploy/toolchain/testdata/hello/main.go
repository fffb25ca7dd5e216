// Hello stands in for a program of the stack: small, but with enough packages below it to be interrupted among them.
package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
)

// Version is set by the linker.
var Version = "none"

func main() {
	out, err := json.Marshal(url.URL{Host: "example.org"})
	if err != nil {
		os.Exit(1)
	}
	fmt.Println("hello, version", Version, len(out))
}
