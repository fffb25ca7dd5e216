package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/e2e/record"
)

// writePostmortem runs the postmortem command on the trial's incident, as a person would.
func writePostmortem(ctx context.Context, stdout io.Writer, paths folders.Folders, result record.Record) error {
	if result.IncidentID == "" {
		fmt.Fprintln(stdout, "No healer was there, so there is no incident to write a postmortem of.")
		return nil
	}
	file := filepath.Join(paths.Root, ".faultline", "postmortems", result.IncidentID+".md")
	write := exec.CommandContext(ctx, filepath.Join(paths.Bin, "postmortem"), "write", result.IncidentID,
		"--stack="+paths.Stack, "--out="+file)
	if output, err := write.CombinedOutput(); err != nil {
		return fmt.Errorf("writing the postmortem: %w: %s", err, output)
	}
	fmt.Fprintf(stdout, "Postmortem: %s\n\n", relative(file))
	return nil
}

// relative is the path as a person in the present folder would type it.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && len(short) < len(path) {
		return short
	}
	return path
}
