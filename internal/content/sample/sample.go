// Package sample is the course that the demo shows: "Knots in ten minutes", an
// xAPI package in the Rustici (Tin Can) format with four pages and a quiz. It
// is written in plain HTML, CSS and JavaScript modules, needs no build and
// nothing from the network but the record store it was launched with.
package sample

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"time"
)

const (
	// ActivityID is the IRI of the one launchable activity in tincan.xml.
	ActivityID = "https://rollway.example/courses/knots"
	// Title is the activity's name in tincan.xml.
	Title = "Knots in ten minutes"
)

//go:embed knots
var files embed.FS

// stamped is the time of every file in the package. Embedded files have none,
// and the package must not change when it is built again.
var stamped = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Zip returns the course as a package: a zip with tincan.xml at its root. Every
// call on the same build returns the same bytes.
func Zip() ([]byte, error) {
	root, err := fs.Sub(files, "knots")
	if err != nil {
		return nil, fmt.Errorf("open the sample course: %w", err)
	}
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	// WalkDir goes in lexical order, which makes the order in the zip fixed.
	err = fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		w, err := zw.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Deflate, Modified: stamped})
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pack the sample course: %w", err)
	}
	if err := zw.Close(); err != nil {
		return nil, fmt.Errorf("pack the sample course: %w", err)
	}
	return buf.Bytes(), nil
}
