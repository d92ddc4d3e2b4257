//! Which GPUs there are, what they can do, and which one is taken.

use super::pipeline::PARAMS_BYTES;
use super::unchecked;
use crate::base::{Error, Result};
use parking_lot::RwLock;
use pollster::block_on;

/// What kind of device an adapter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdapterKind {
    /// A card with memory of its own.
    Discrete,
    /// A GPU that shares the CPU's memory.
    Integrated,
    /// A GPU handed through by a hypervisor, or one that does not say what it is.
    Other,
    /// A driver that runs on the CPU (llvmpipe, SwiftShader, WARP).
    Software,
}

/// An adapter: its name, driver, limits and features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterInfo {
    /// The name that `WGRAD_ADAPTER` is compared with.
    pub name: String,
    /// Vulkan, Metal or DX12.
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// Discrete, integrated or software.
    pub kind: AdapterKind,
    /// Where it is plugged in, as in `0000:65:00.0`: one GPU has one, whatever its drivers call it. Empty where nobody says.
    pub pci_bus_id: String,
    /// Storage buffers that one kernel may bind.
    pub max_storage_buffers: u32,
    /// Invocations in a workgroup.
    pub max_workgroup_invocations: u32,
    /// Bytes of workgroup memory.
    pub max_workgroup_bytes: u32,
    /// Workgroups along one axis of a grid.
    pub max_workgroups: u32,
    /// Bytes that one binding may hold: the largest tensor.
    pub max_binding_bytes: u64,
    /// Bytes of immediate data (push constants).
    pub max_immediate_bytes: u32,
    /// Invocations that run together at least and can read each other's values; 1 without such subgroups.
    pub subgroup_lanes: u32,
    /// Its matrix units, where kernels can use them.
    pub matrix_units: Option<MatrixUnits>,
    /// The useful features that it has.
    pub features: Vec<String>,
}

/// Units that multiply tiles of f16 and add them up in f32: tensor cores, matrix cores and their like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatrixUnits {
    /// Rows and columns of a tile: 8 or 16.
    pub tile: u32,
    /// Invocations that hold a tile together.
    pub lanes: u32,
}

impl MatrixUnits {
    /// The largest square tile of those that kernels are written for. Where the number of lanes may vary there is none: a kernel has to
    /// know it when it is compiled.
    fn among(tiles: &[wgpu::CooperativeMatrixProperties], info: &wgpu::AdapterInfo) -> Option<Self> {
        let of_f16 = |tile: &&wgpu::CooperativeMatrixProperties| {
            (tile.ab_type, tile.cr_type) == (wgpu::CooperativeScalarType::F16, wgpu::CooperativeScalarType::F32)
        };
        let square = |&wgpu::CooperativeMatrixProperties { m_size, n_size, k_size, .. }: &wgpu::CooperativeMatrixProperties| {
            (m_size == n_size && n_size == k_size && matches!(m_size, 8 | 16)).then_some(m_size)
        };
        let tile = tiles.iter().filter(of_f16).filter_map(square).max()?;
        let lanes = info.subgroup_min_size;
        // Four subgroups make a workgroup, whose invocations load as much each: fours of the 8 tiles of a step, or of pixels.
        let loads = (8..=64).contains(&lanes) && lanes.is_multiple_of(tile) && (tile * tile).is_multiple_of(2 * lanes);
        (lanes == info.subgroup_max_size && loads).then_some(Self { tile, lanes })
    }
}

const MATRIX_UNITS: wgpu::Features = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX;

/// The features that are asked for wherever they are there.
fn useful() -> [(wgpu::Features, &'static str); 5] {
    [
        (wgpu::Features::IMMEDIATES, "immediates"),
        (wgpu::Features::SHADER_F16, "f16"),
        (wgpu::Features::SUBGROUP, "subgroups"),
        (MATRIX_UNITS, "matrix units"),
        (wgpu::Features::TIMESTAMP_QUERY, "timestamps"),
    ]
}

impl AdapterInfo {
    pub(super) fn of(adapter: &wgpu::Adapter) -> Self {
        Self::new(adapter.get_info(), &adapter.limits(), adapter.features(), &adapter.cooperative_matrix_properties())
    }

    /// What a device may use of its adapter, which alone knows the `tiles` of its matrix units.
    pub(super) fn of_device(device: &wgpu::Device, tiles: &[wgpu::CooperativeMatrixProperties]) -> Self {
        Self::new(device.adapter_info(), &device.limits(), device.features(), tiles)
    }

    fn new(
        info: wgpu::AdapterInfo,
        limits: &wgpu::Limits,
        features: wgpu::Features,
        tiles: &[wgpu::CooperativeMatrixProperties],
    ) -> Self {
        let has_units = features.contains(MATRIX_UNITS | wgpu::Features::SHADER_F16);
        let matrix_units = MatrixUnits::among(tiles, &info).filter(|_| has_units);
        // Units that no kernel can use are not asked for.
        let features = if matrix_units.is_none() { features - MATRIX_UNITS } else { features };
        Self {
            matrix_units,
            kind: match info.device_type {
                wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
                wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
                wgpu::DeviceType::Cpu => AdapterKind::Software,
                wgpu::DeviceType::Other | wgpu::DeviceType::VirtualGpu => AdapterKind::Other,
            },
            pci_bus_id: info.device_pci_bus_id,
            name: info.name,
            backend: info.backend.to_string(),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
            max_workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
            max_workgroups: limits.max_compute_workgroups_per_dimension,
            // Kernels add a part of a workgroup, an edge or a sign to numbers of elements, in 32 bits.
            max_binding_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(i32::MAX as u64),
            max_immediate_bytes: limits.max_immediate_size,
            subgroup_lanes: if features.contains(wgpu::Features::SUBGROUP) { info.subgroup_min_size.max(1) } else { 1 },
            features: useful().iter().filter(|(f, _)| features.contains(*f)).map(|(_, name)| (*name).to_owned()).collect(),
        }
    }

    pub(super) fn has_immediates(&self) -> bool {
        self.features.iter().any(|f| f == "immediates") && self.max_immediate_bytes >= PARAMS_BYTES as u32
    }

    /// What it lacks of WebGPU's defaults, which the baseline form of every kernel needs.
    pub(super) fn lacks(&self) -> Option<String> {
        let needs = [
            ("storage buffers per kernel", self.max_storage_buffers, 8),
            ("invocations per workgroup", self.max_workgroup_invocations, 256),
            ("bytes of workgroup memory", self.max_workgroup_bytes, 16_384),
            ("workgroups per axis", self.max_workgroups, 65_535),
        ];
        let (what, has, wants) = needs.iter().find(|(_, has, wants)| has < wants)?;
        Some(format!("it has {has} {what}, the kernels need {wants}"))
    }
}

fn enumerate() -> Vec<wgpu::Adapter> {
    let mut desc = wgpu::InstanceDescriptor::new_without_display_handle();
    desc.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    // No validation layers: they are a developer's tool, and where half installed they print to stderr.
    desc.flags = wgpu::InstanceFlags::empty();
    let found = block_on(wgpu::Instance::new(desc).enumerate_adapters(wgpu::Backends::all()));
    in_order(found, AdapterInfo::of)
}

/// The preferred kind first, then by where they are plugged in: the same order each time. What several drivers offer is one.
fn in_order<A>(mut found: Vec<A>, info: impl Fn(&A) -> AdapterInfo) -> Vec<A> {
    found.sort_by_cached_key(|adapter| {
        let info = info(adapter);
        (info.kind, info.pci_bus_id)
    });
    let mut known = Vec::new();
    found.retain(|adapter| {
        let id = info(adapter).pci_bus_id;
        let is_new = id.is_empty() || !known.contains(&id);
        known.push(id);
        is_new
    });
    found
}

/// The adapters of this machine, the preferred kind first, and those of a kind by where they are plugged in.
pub fn adapters() -> Vec<AdapterInfo> {
    enumerate().iter().map(AdapterInfo::of).collect()
}

static CHOSEN: RwLock<Option<String>> = RwLock::new(None);

/// From now on devices of this program are opened on this adapter, as if `WGRAD_ADAPTER` named it: by its place among [`adapters`], `2` or
/// `#2`, by where it is plugged in (`0000:65:00.0`), or by a part of its name.
pub fn choose_adapter(wanted: impl Into<String>) {
    *CHOSEN.write() = Some(wanted.into());
}

/// The adapter that was asked for, by [`choose_adapter`] or by `WGRAD_ADAPTER`; none where any will do.
pub fn chosen_adapter() -> Option<String> {
    let named = || std::env::var_os("WGRAD_ADAPTER").map(|wanted| wanted.to_string_lossy().into_owned());
    CHOSEN.read().clone().or_else(named).filter(|wanted| !wanted.is_empty())
}

/// Which of these, by name and PCI id, is meant: the one at that place, the one plugged in there, or the first that has it in its name.
fn meant(known: &[(String, String)], wanted: &str) -> Option<usize> {
    let number = wanted.strip_prefix('#').unwrap_or(wanted);
    let place = number.parse().ok().filter(|place| *place < known.len());
    let wanted = wanted.to_lowercase();
    let plugged = || known.iter().position(|(_, id)| id.to_lowercase() == wanted);
    place.or_else(plugged).or_else(|| known.iter().position(|(name, _)| name.to_lowercase().contains(&wanted)))
}

/// The preferred adapter, or the one that is `wanted`; without `software`, only a hardware GPU or a wanted one.
pub(super) fn choose(software: bool, wanted: Option<String>) -> Result<wgpu::Adapter> {
    let mut found = enumerate();
    let at = match wanted {
        Some(wanted) => {
            let known: Vec<(String, String)> = found.iter().map(AdapterInfo::of).map(|info| (info.name, info.pci_bus_id)).collect();
            meant(&known, &wanted).ok_or_else(|| {
                let list: Vec<String> = known.iter().enumerate().map(|(place, (name, _))| format!("{place}: {name}")).collect();
                let found = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
                Error::AdapterNotFound { wanted, found }
            })?
        }
        None => {
            let fits = |a: &wgpu::Adapter| software || AdapterInfo::of(a).kind != AdapterKind::Software;
            found.iter().position(fits).ok_or(Error::NoAdapter)?
        }
    };
    Ok(found.swap_remove(at))
}

/// Opens it with all that is useful here; with WebGPU's defaults and no feature where `WGRAD_LIMITS=webgpu`, to try what a lesser GPU would do.
pub(super) fn request(adapter: &wgpu::Adapter) -> Result<(wgpu::Device, wgpu::Queue)> {
    let known = AdapterInfo::of(adapter).features;
    let wanted = useful().into_iter().filter(|(_, name)| known.iter().any(|known| known == name));
    let (required_features, required_limits) = match std::env::var("WGRAD_LIMITS").as_deref() {
        Err(_) | Ok("") => (wanted.fold(wgpu::Features::empty(), |all, (feature, _)| all | feature), adapter.limits()),
        Ok("webgpu") => (wgpu::Features::empty(), wgpu::Limits::default()),
        Ok(other) => return Err(Error::AdapterRefused(format!("WGRAD_LIMITS is \"{other}\"; it may be \"webgpu\""))),
    };
    let experimental_features = unchecked::experimental(required_features);
    let label = Some("wgrad");
    let desc = wgpu::DeviceDescriptor { label, required_features, required_limits, experimental_features, ..Default::default() };
    block_on(adapter.request_device(&desc)).map_err(|e| Error::AdapterRefused(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_is_meant_by_its_place_by_where_it_is_or_a_part_of_its_name() {
        let known = [
            ("AMD Radeon RX 7900", "0000:0a:00.0"),
            ("NVIDIA GeForce RTX 4090", "0000:65:00.0"),
            ("NVIDIA GeForce RTX 4090", "0000:b3:00.0"),
            ("llvmpipe", ""),
        ];
        let known = known.map(|(name, id)| (name.to_owned(), id.to_owned()));
        for (wanted, place) in [
            ("0", Some(0)),
            ("#2", Some(2)),
            ("5", None),
            ("#4", None),
            ("4090", Some(1)),
            ("0000:B3:00.0", Some(2)),
            ("LLVM", Some(3)),
            ("-1", None),
            ("intel", None),
        ] {
            assert_eq!(meant(&known, wanted), place, "{wanted}");
        }
    }

    /// Two cards, one of which two drivers offer, before what runs on the processor; in whatever order they are found.
    #[test]
    fn a_card_stands_once_and_in_its_place() {
        let limits = wgpu::Limits::default();
        let info = |(name, kind, id): &(&str, wgpu::DeviceType, &str)| {
            let mut info = wgpu::AdapterInfo::new(*kind, wgpu::Backend::Vulkan);
            (info.name, info.device_pci_bus_id) = ((*name).to_owned(), (*id).to_owned());
            AdapterInfo::new(info, &limits, wgpu::Features::empty(), &[])
        };
        let mut found = vec![
            ("llvmpipe", wgpu::DeviceType::Cpu, ""),
            ("card b", wgpu::DeviceType::DiscreteGpu, "0000:b3:00.0"),
            ("card a", wgpu::DeviceType::DiscreteGpu, "0000:65:00.0"),
            ("SwiftShader", wgpu::DeviceType::Cpu, ""),
            ("card b by another driver", wgpu::DeviceType::DiscreteGpu, "0000:b3:00.0"),
        ];
        for _ in 0..found.len() {
            found.rotate_left(1);
            let names: Vec<&str> = in_order(found.clone(), info).iter().map(|found| found.0).collect();
            assert!(names[0] == "card a" && names[1].starts_with("card b") && names.len() == 4, "{names:?}");
        }
    }

    #[test]
    fn units_are_square_of_f16_and_of_a_known_number_of_lanes() {
        use wgpu::CooperativeScalarType::{F16, F32};
        let tile = |[m_size, n_size, k_size]: [u32; 3], ab_type, cr_type| wgpu::CooperativeMatrixProperties {
            m_size,
            n_size,
            k_size,
            ab_type,
            cr_type,
            saturating_accumulation: false,
        };
        let known = [
            tile([8; 3], F16, F32),
            tile([16; 3], F16, F32),
            tile([32; 3], F16, F32),
            tile([16, 8, 16], F16, F32),
            tile([16; 3], F16, F16),
            tile([8; 3], F32, F32),
        ];
        let among = |tiles: &[wgpu::CooperativeMatrixProperties], lanes: [u32; 2]| {
            let mut info = wgpu::AdapterInfo::new(wgpu::DeviceType::DiscreteGpu, wgpu::Backend::Vulkan);
            [info.subgroup_min_size, info.subgroup_max_size] = lanes;
            MatrixUnits::among(tiles, &info)
        };
        assert_eq!(among(&known, [32, 32]), Some(MatrixUnits { tile: 16, lanes: 32 }));
        assert_eq!(among(&known[..1], [8, 8]), Some(MatrixUnits { tile: 8, lanes: 8 }));
        assert_eq!(among(&known[2..], [32, 32]), None);
        assert_eq!(among(&known, [32, 64]), None);
        assert_eq!(among(&known[..1], [64, 64]), None);
        assert_eq!(among(&[], [32, 32]), None);

        // Those that no kernel can use are not among the features, and so are not asked for.
        let features = |lanes: u32| {
            let mut info = wgpu::AdapterInfo::new(wgpu::DeviceType::DiscreteGpu, wgpu::Backend::Vulkan);
            [info.subgroup_min_size, info.subgroup_max_size] = [32, lanes];
            AdapterInfo::new(info, &wgpu::Limits::default(), MATRIX_UNITS | wgpu::Features::SHADER_F16, &known).features
        };
        assert_eq!((features(32), features(64)), (vec!["f16".to_owned(), "matrix units".to_owned()], vec!["f16".to_owned()]));
    }
}
