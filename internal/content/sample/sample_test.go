package sample

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"
)

const maxSize = 150 << 10 // bytes, unpacked

func unpack(t *testing.T) map[string]string {
	t.Helper()
	data, err := Zip()
	if err != nil {
		t.Fatal(err)
	}
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		got[f.Name] = string(body)
	}
	return got
}

func TestZipIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	first, err := Zip()
	if err != nil {
		t.Fatal(err)
	}
	second, err := Zip()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two packages of the same build differ")
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	got := unpack(t)
	var manifest struct {
		XMLName    xml.Name `xml:"http://projecttincan.com/tincan.xsd tincan"`
		Activities []struct {
			ID     string `xml:"id,attr"`
			Type   string `xml:"type,attr"`
			Name   string `xml:"name"`
			Launch string `xml:"launch"`
		} `xml:"activities>activity"`
	}
	if err := xml.Unmarshal([]byte(got["tincan.xml"]), &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Activities) != 1 {
		t.Fatalf("%d activities, want 1", len(manifest.Activities))
	}
	a := manifest.Activities[0]
	if a.ID != ActivityID || a.Name != Title || a.Type != "http://adlnet.gov/expapi/activities/course" {
		t.Errorf("activity is %+v", a)
	}
	if _, ok := got[a.Launch]; !ok {
		t.Errorf("launches %q, which is not in the package", a.Launch)
	}
	// The script falls back to these when the launch names no activity.
	if js := got["statements.js"]; !strings.Contains(js, "'"+ActivityID+"'") || !strings.Contains(js, "'"+Title+"'") {
		t.Error("statements.js knows another activity or title")
	}
}

// Every way a file of the course names another one.
var reference = regexp.MustCompile(`(?:src|href)="([^"#]+)"|from '\./([^']+)'|src: '([^']+)'`)

func TestPackageIsWholeAndStandsAlone(t *testing.T) {
	t.Parallel()
	got := unpack(t)
	named := map[string]bool{"tincan.xml": true, "index.html": true}
	size := 0
	for name, body := range got {
		size += len(body)
		for _, m := range reference.FindAllStringSubmatch(body, -1) {
			target := path.Clean(m[1] + m[2] + m[3])
			named[target] = true
			if _, ok := got[target]; !ok {
				t.Errorf("%s names %s, which is not in the package", name, target)
			}
		}
		// What a policy of default-src 'self' would block.
		for _, bad := range []string{" style=", "<style", " onclick=", "javascript:", "@import", "url(http", `src="http`, `href="http`} {
			if strings.Contains(body, bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
	}
	for name := range got {
		if !named[name] {
			t.Errorf("nothing uses %s", name)
		}
	}
	if size > maxSize {
		t.Errorf("the course has %d bytes, more than %d", size, maxSize)
	}
}
