@testable import Execution

enum MatrixCases {
    private static let (m, n, k) = (GradientCase.m, GradientCase.n, GradientCase.k)

    static let all = [
        GradientCase("MatMul", [.varied([m, k]), .varied([k, n])]),
        GradientCase("MatMul", [.varied([2, m, k]), .varied([k, n])], note: "rows of several matrices"),
        GradientCase("MatMul", [.varied([2, 1, m, k]), .varied([3, k, n])], note: "broadcast both ways"),
        GradientCase("MatMul", [.varied([m, k]), .varied([3, k, n])]),
        GradientCase("MatMul", [.varied([k]), .varied([k])], note: "two vectors"),
        GradientCase("MatMul", [.varied([k]), .varied([2, k, n])]),
        GradientCase("MatMul", [.varied([2, m, k]), .varied([k])]),
        fused(false, true, [m, k], [n, k]),
        fused(true, false, [2, k, m], [k, n]),
        fused(true, true, [2, k, m], [2, n, k]),
        fused(false, true, [2, m, k], [n, k]),
        GradientCase("Gemm", [.varied([m, k]), .varied([k, n]), .varied([n])]),
        GradientCase("Gemm", [.varied([m, k]), .varied([k, n])], version: 11),
        gemm(true, false, [k, m], [k, n], [m, 1]),
        gemm(false, true, [m, k], [n, k], [m, n]),
        gemm(true, true, [k, m], [n, k], []),
        einsum("ij,jk->ik", [m, k], [k, n]),
        einsum("bij,bjk->bik", [2, m, k], [2, k, n]),
        einsum("...ij,...jk", [3, 1, m, k], [2, k, n]),
        einsum("ij,kl->l", [m, k], [2, n]),
        einsum("bhqd,bkhd->bhqk", [2, 3, m, k], [2, n, 3, k]),
        GradientCase("Einsum", ["equation": "ijk->kj"], [.varied([m, n, k])]),
        GradientCase("Einsum", ["equation": "i,ij,j->"], [.varied([m]), .varied([m, n]), .varied([n])]),
    ]

    private static func fused(_ transposesA: Bool, _ transposesB: Bool, _ a: [Int], _ b: [Int]) -> GradientCase {
        GradientCase(
            "FusedMatMul", domain: "com.microsoft",
            ["transA": transposesA, "transB": transposesB, "alpha": Float(0.5)], [.varied(a), .varied(b)], version: 1)
    }

    private static func gemm(_ transposesA: Bool, _ transposesB: Bool, _ a: [Int], _ b: [Int], _ c: [Int])
        -> GradientCase
    {
        GradientCase(
            "Gemm", ["transA": transposesA, "transB": transposesB, "alpha": Float(0.5), "beta": Float(2)],
            [.varied(a), .varied(b), .varied(c)])
    }

    private static func einsum(_ equation: String, _ a: [Int], _ b: [Int]) -> GradientCase {
        GradientCase("Einsum", ["equation": equation], [.varied(a), .varied(b)])
    }
}
