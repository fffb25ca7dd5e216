package process

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// HTTP returns a probe that is content when a GET of the URL answers 200.
func HTTP(url string) func(context.Context) error {
	// A connection of its own each time: a kept one would outlive the probe inside the child.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		_, _ = io.Copy(io.Discard, response.Body)
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, response.Status)
		}
		return nil
	}
}
