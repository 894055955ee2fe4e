/// The page of a report, without its recording: the files of this folder, in the program.
///
/// They are a module of their own, because a compiler takes seconds over so many bytes and need not do so again for each change of
/// the laboratory.
package enum ReportPage {
  package static var style: [UInt8] { PackageResources.style_css }

  package static var body: [UInt8] { PackageResources.body_html }

  /// One view each, in the order in which the browser reads them.
  package static var scripts: [[UInt8]] {
    [
      PackageResources.core_js, PackageResources.dissect_js, PackageResources.chart_js, PackageResources.timeline_js,
      PackageResources.topology_js, PackageResources.events_js, PackageResources.ladder_js, PackageResources.graphs_js,
      PackageResources.packet_js, PackageResources.tables_js, PackageResources.main_js,
    ]
  }
}
