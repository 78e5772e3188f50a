package content

import (
	"errors"
	"io"
	"strings"

	"rollway/internal/fault"
)

// Package is what a zip holds: a manifest and the files below the manifest's folder.
type Package struct {
	Manifest *Manifest
	Files    []PackageFile // in the order of their paths, the manifest among them
	Dropped  []string      // paths in the zip of files that are left out
}

// PackageFile is a file of a package.
type PackageFile struct {
	Path string // relative to the root, normal; the key under which it is served
	*File
}

// Options are what an operator may allow beyond the rules.
type Options struct {
	// LaunchHosts are the hosts, as "host" or "host:port", at which https launch addresses in a manifest may point. None by
	// default: content is then launched from its package only.
	LaunchHosts []string
}

// ReadPackage finds and reads the manifest of a zip. It inflates no other file; whoever keeps the files reads each by
// File.Open, which may still find one damaged.
func ReadPackage(z *Zip, o Options) (*Package, error) {
	file, err := findManifest(z)
	if err != nil {
		return nil, err
	}
	if file.Size > maxManifest {
		return nil, errManifestSize
	}
	text, err := io.ReadAll(file.Open())
	if err != nil {
		return nil, err
	}
	p := &Package{}
	if p.Manifest, err = ParseManifest(text, o); err != nil {
		return nil, err
	}

	root := file.Path[:strings.LastIndexByte(file.Path, '/')+1]
	there := map[string]bool{}
	for _, f := range z.Files {
		path, inside := strings.CutPrefix(f.Path, root)
		if !inside || leftBehind(f.Path) {
			p.Dropped = append(p.Dropped, f.Path)
			continue
		}
		p.Files = append(p.Files, PackageFile{path, f})
		there[path] = true
	}
	for _, l := range p.Manifest.Launches {
		if l.External == "" && !there[l.Path] {
			return nil, refuse("launch_no_such_file", "The launch address points at `{file}`, but there is no such file in the package.", "file", shown(l.Path))
		}
	}
	return p, nil
}

// findManifest returns the one tincan.xml of a zip.
func findManifest(z *Zip) (*File, error) {
	found := map[string]*File{}
	for _, f := range z.Files {
		if leftBehind(f.Path) {
			continue
		}
		name := strings.ToLower(f.Path[strings.LastIndexByte(f.Path, '/')+1:])
		if first := found[name]; first != nil && name == "tincan.xml" {
			return nil, refuse("package_two_manifests", "The package has more than one tincan.xml: `{file}` and `{other}`.", "file", shown(first.Path), "other", shown(f.Path))
		}
		found[name] = f
	}
	switch {
	case found["tincan.xml"] != nil:
		return found["tincan.xml"], nil
	case found["cmi5.xml"] != nil:
		return nil, refuse("package_cmi5", "This is a cmi5 package. cmi5 is not supported yet; export the course as xAPI (Tin Can) instead.")
	case found["imsmanifest.xml"] != nil:
		return nil, refuse("package_scorm", "This is a SCORM package. SCORM is not supported; export the course as xAPI (Tin Can) instead.")
	}
	return nil, refuse("package_no_manifest", "The package has no tincan.xml. Export the course as xAPI (Tin Can) and upload the zip as it is.")
}

// leftBehind reports whether a file is one that an operating system adds to zips.
func leftBehind(path string) bool {
	name := path[strings.LastIndexByte(path, '/')+1:]
	return strings.HasPrefix(path, "__MACOSX/") || name == ".DS_Store" || name == "Thumbs.db"
}

// asFault returns the fault inside an error, or the one given.
func asFault(err, otherwise error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	return otherwise
}
