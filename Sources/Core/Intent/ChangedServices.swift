/// The Services of each of two versions of a list that the other has not: those that went, came,
/// or are not as they were.
struct ChangedServices {
  private(set) var removed: [Intent.Service] = []
  private(set) var added: [Intent.Service] = []

  init(from old: [Intent.Service], to new: [Intent.Service]) {
    let window = Window(from: old, to: new)
    // Most between the first change and the last may have stayed.
    var places: [UInt32: Int] = [:]
    places.reserveCapacity(window.old.count)
    for place in window.old { places[old[place].clusterIP.value] = place }
    var isRemoved = [Bool](repeating: true, count: window.old.count)
    for service in new[window.new] {
      if let place = places.removeValue(forKey: service.clusterIP.value), old[place] == service {
        isRemoved[place - window.old.lowerBound] = false
      } else {
        added.append(service)
      }
    }
    for place in window.old where isRemoved[place - window.old.lowerBound] {
      removed.append(old[place])
    }
  }
}
