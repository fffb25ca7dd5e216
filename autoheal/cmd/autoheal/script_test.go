package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faultline-lab/faultline/observability/command"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"autoheal": func() { os.Exit(command.Main(run)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true})
}
