// Command chaos breaks the running system on purpose, one experiment at a time, and puts it right again.
package main

import "os"

func main() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }
