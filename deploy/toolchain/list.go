package toolchain

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
)

// List prints a table of all programs: version, where each comes from, and its path. It builds nothing: a program that
// is neither on PATH nor in the cache is listed with the version that would be built.
func List(ctx context.Context, opts Options, out io.Writer) error {
	finder, err := newFinder(ctx, opts, catalogue(), pinned)
	if err != nil {
		return err
	}
	return finder.list(ctx, out)
}

func (f *finder) list(ctx context.Context, out io.Writer) error {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }

	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROGRAM\tVERSION\tFROM\tPATH")
	for _, s := range f.specs {
		tool, ok, err := f.find(ctx, s, note)
		switch {
		case err != nil:
			return err
		case ok:
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", tool.Name, tool.Version, tool.Origin, tool.Path)
		default:
			fmt.Fprintf(table, "%s\t%s\tto be built\t%s@%s\n", s.name, s.release, s.module, s.at)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, text := range notes {
		if _, err := fmt.Fprintln(out, text); err != nil {
			return err
		}
	}
	return nil
}
