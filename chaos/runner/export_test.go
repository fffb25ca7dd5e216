package runner

import "time"

// Age makes a record older by that much.
func Age(stackFile, id string, by time.Duration) error {
	files := recordsOf(stackFile)
	record, err := files.read(id)
	if err != nil {
		return err
	}
	record.ExpiresAt, record.GoneBy = record.ExpiresAt.Add(-by), record.GoneBy.Add(-by)
	return files.put(record)
}
