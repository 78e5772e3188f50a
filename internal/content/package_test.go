package content

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestReadPackage(t *testing.T) {
	t.Parallel()
	launch := course(`<launch>index.html</launch>`)
	for _, c := range []struct {
		name           string
		zip            zipFile
		paths, dropped []string
	}{
		{"at the top", files("tincan.xml", launch, "index.html", "I", "js/a.js", "A"), []string{"index.html", "js/a.js", "tincan.xml"}, nil},
		{"in a folder", files("c/tincan.xml", launch, "c/index.html", "I", "c/js/a.js", "A"), []string{"index.html", "js/a.js", "tincan.xml"}, nil},
		{"far down", files("a/b/tincan.xml", launch, "a/b/index.html", "I"), []string{"index.html", "tincan.xml"}, nil},
		{"with files outside its root", files("c/tincan.xml", launch, "c/index.html", "I", "readme.txt", "R", "cc/x", "X"),
			[]string{"index.html", "tincan.xml"}, []string{"cc/x", "readme.txt"}},
		{"zipped by a Mac", files("tincan.xml", launch, "index.html", "I", "__MACOSX/._tincan.xml", "M", "__MACOSX/tincan.xml", "M", "js/.DS_Store", "D", "Thumbs.db", "T"),
			[]string{"index.html", "tincan.xml"}, []string{"Thumbs.db", "__MACOSX/._tincan.xml", "__MACOSX/tincan.xml", "js/.DS_Store"}},
		{"with capitals", files("TinCan.xml", launch, "index.html", "I"), []string{"TinCan.xml", "index.html"}, nil},
		{"beside other manifests", files("tincan.xml", launch, "index.html", "I", "cmi5.xml", "C", "imsmanifest.xml", "S"),
			[]string{"cmi5.xml", "imsmanifest.xml", "index.html", "tincan.xml"}, nil},
		{"another manifest is its own", files("tincan.xml", launch, "index.html", "I", "my-tincan.xml", "C"),
			[]string{"index.html", "my-tincan.xml", "tincan.xml"}, nil},
	} {
		z, err := c.zip.open(t, Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		p, err := ReadPackage(z, Options{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var paths []string
		for _, f := range p.Files {
			paths = append(paths, f.Path)
			if b, err := io.ReadAll(f.Open()); err != nil || f.Path == "index.html" && string(b) != "I" {
				t.Errorf("%s: %s holds %q, %v", c.name, f.Path, b, err)
			}
		}
		if !slices.Equal(paths, c.paths) || !slices.Equal(p.Dropped, c.dropped) || p.Manifest.Launches[0].Path != "index.html" {
			t.Errorf("%s: files %q, dropped %q, %+v", c.name, paths, p.Dropped, p.Manifest)
		}
	}
}

func TestReadPackageRefuses(t *testing.T) {
	t.Parallel()
	launch := course(`<launch>index.html</launch>`)
	damaged := zipEntry{name: "tincan.xml", content: launch, central: put32(16, 7), local: put32(14, 7)}
	for _, c := range []struct {
		name, code string
		zip        zipFile
	}{
		{"nothing in it", "package_no_manifest", zipFile{}},
		{"no manifest", "package_no_manifest", files("index.html", "I")},
		{"a manifest only among leavings", "package_no_manifest", files("__MACOSX/tincan.xml", launch)},
		{"a zip in a zip", "package_no_manifest", files("course.zip", "PK")},
		{"cmi5", "package_cmi5", files("cmi5.xml", "<courseStructure/>", "index.html", "I")},
		{"cmi5 in a folder", "package_cmi5", files("c/CMI5.xml", "<courseStructure/>")},
		{"SCORM", "package_scorm", files("imsmanifest.xml", "<manifest/>", "index.html", "I")},
		{"cmi5 and SCORM", "package_cmi5", files("cmi5.xml", "", "imsmanifest.xml", "")},
		{"two manifests", "package_two_manifests", files("a/tincan.xml", launch, "b/tincan.xml", launch)},
		{"two manifests by case", "package_two_manifests", files("tincan.xml", launch, "b/TINCAN.XML", launch)},
		{"no such file", "launch_no_such_file", files("tincan.xml", launch, "start.html", "S")},
		{"file by another case", "launch_no_such_file", files("tincan.xml", launch, "Index.html", "S")},
		{"file outside the root", "launch_no_such_file", files("c/tincan.xml", launch, "index.html", "S")},
		{"file dropped", "launch_no_such_file", files("tincan.xml", course(`<launch>__MACOSX/x</launch>`), "__MACOSX/x", "S")},
		{"folder", "launch_no_such_file", files("tincan.xml", course(`<launch>player</launch>`), "player/index.html", "S")},
		{"manifest refused", "manifest_doctype", files("tincan.xml", "<!DOCTYPE x>")},
		{"manifest damaged", "zip_checksum", zipFile{entries: []zipEntry{damaged}}},
		{"manifest too large", "manifest_too_large", files("tincan.xml", launch+strings.Repeat(" ", maxManifest))},
	} {
		z, err := c.zip.open(t, Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if p, err := ReadPackage(z, Options{}); code(err) != c.code || p != nil {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
}

func TestExternalLaunchNeedsNoFile(t *testing.T) {
	t.Parallel()
	z, err := files("tincan.xml", course(`<launch>https://cdn.example.com/c</launch>`)).open(t, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPackage(z, Options{}); code(err) != "launch_host" {
		t.Errorf("not allowed: %v", err)
	}
	p, err := ReadPackage(z, Options{LaunchHosts: []string{"cdn.example.com"}})
	if err != nil || p.Manifest.Launches[0].External != "https://cdn.example.com/c" {
		t.Errorf("allowed: %+v, %v", p, err)
	}
}

func TestSentencesCannotBeBroken(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a`b\\", "\u202egnp.\\", "\x1b[31m\\", strings.Repeat("x", 5000) + "\\", "\xff\xfe"} {
		_, err := NormalPath(name)
		if err == nil {
			t.Errorf("%q: accepted", name)
			continue
		}
		if m := err.Error(); strings.Count(m, "`") != 2 && strings.Count(m, "`") != 4 || strings.ContainsAny(m, "\x1b\u202e") || len(m) > 600 {
			t.Errorf("%q: %q", name, m)
		}
	}
}

func TestMediaType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, want string
		download   bool
	}{
		{"index.html", "text/html", false},
		{"INDEX.HTM", "text/html", false},
		{"a/b.c/app.JS", "text/javascript", false},
		{"m.mjs", "text/javascript", false},
		{"s.css", "text/css", false},
		{"d.json", "application/json", false},
		{"i.svg", "image/svg+xml", false},
		{"v.vtt", "text/vtt; charset=utf-8", false},
		{"f.woff2", "font/woff2", false},
		{"x.wasm", "application/wasm", false},
		{"x.tar.zip", "application/zip", true},
		{"page.html.exe", "application/octet-stream", true},
		{"page.php", "application/octet-stream", true},
		{"movie.swf", "application/octet-stream", true},
		{"html", "application/octet-stream", true},
		{"a.html/file", "application/octet-stream", true},
		{"a.", "application/octet-stream", true},
		{"", "application/octet-stream", true},
		{".html", "text/html", false},
	} {
		if got, download := MediaType(c.path); got != c.want || download != c.download {
			t.Errorf("%q: %q, %v", c.path, got, download)
		}
	}
	for ext, m := range mediaTypes {
		if ext != strings.ToLower(ext) || !strings.Contains(m.name, "/") || strings.HasPrefix(m.name, "text/html;") {
			t.Errorf("%q: %+v", ext, m)
		}
	}
}
